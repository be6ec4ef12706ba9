// agent/responses.h: which response answers which query, and what becomes of the rest.
#include "agent/responses.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/dns_name.h"

namespace nslookout::agent {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

nsl_candidate query(const std::string& name, std::uint16_t type = 1) {
  nsl_candidate candidate{};
  const std::string wire = presentation_to_wire(name).value();
  std::memcpy(candidate.name, wire.data(), wire.size());
  candidate.name_length = static_cast<nsl_u16>(wire.size());
  candidate.record_type = type;
  candidate.record_class = 1;
  return candidate;
}

std::string response(const std::string& name, std::uint8_t rcode = 0, std::uint8_t type = 1) {
  const std::string head = {'\0', '\7', '\x81', static_cast<char>(0x80 | rcode), '\0', '\1', 0, 0, 0, 0, 0, 0};
  return head + presentation_to_wire(name).value() + std::string({'\0', static_cast<char>(type), '\0', '\1'});
}

const std::string refusal_without_question = {'\0', '\7', '\x81', '\x85', 0, 0, 0, 0, 0, 0, 0, 0};

// What was decided, in order: "name rcode", or "name -" without a response.
class Decided : public ::testing::Test {
 protected:
  Responses with(ResponseLimits limits) {
    return Responses(
        [this](Awaiting& query, const Answer* answer) {
          const std::string wire(reinterpret_cast<const char*>(query.candidate.name), query.candidate.name_length);
          decided.push_back(wire_to_presentation(wire) + " " +
                            (answer != nullptr ? std::to_string(answer->response.rcode) : "-"));
        },
        limits);
  }
  static Awaiting sent(const nsl_candidate& candidate, std::uint64_t time = second) {
    Awaiting awaiting;
    awaiting.candidate = candidate;
    awaiting.time = time;
    return awaiting;
  }

  using Texts = std::vector<std::string>;
  Texts decided;
};

TEST_F(Decided, ByExchangeNameTypeAndClass) {
  auto responses = with({});
  responses.wait("socket 1", sent(query("A.test")));
  responses.wait("socket 2", sent(query("a.test")));
  responses.take("socket 2", response("a.TEST", 3), second);
  EXPECT_EQ(decided, Texts{"a.test 3"}) << "the other socket's query still waits";
  responses.take("socket 1", response("b.test"), second);
  responses.take("socket 1", response("a.test", 0, 28), second);
  responses.take("socket 3", response("a.test"), second);
  EXPECT_EQ(decided.size(), 1U);
  responses.take("socket 1", response("a.test"), second);
  EXPECT_EQ(decided, (Texts{"a.test 3", "A.test 0"}));
  responses.take("socket 1", response("a.test"), second);
  EXPECT_EQ(decided.size(), 2U) << "answered once";
  responses.expire(10 * second);
  EXPECT_EQ(responses.counts().unmatched, 4U);
  EXPECT_EQ(responses.counts().answered, 2U);
}

TEST_F(Decided, TwoTypesOfOneExchange) {
  auto responses = with({});
  responses.wait("e", sent(query("a.test", 1)));
  responses.wait("e", sent(query("a.test", 28)));
  responses.take("e", response("a.test", 2, 28), second);
  responses.take("e", response("a.test", 3, 1), second);
  EXPECT_EQ(decided, (Texts{"a.test 2", "a.test 3"}));
}

TEST_F(Decided, ARefusalWithoutAQuestionAnswersAllOfItsExchange) {
  auto responses = with({});
  responses.wait("e", sent(query("a.test")));
  responses.wait("e", sent(query("b.test")));
  responses.wait("other", sent(query("c.test")));
  responses.take("e", refusal_without_question, second);
  std::ranges::sort(decided);
  EXPECT_EQ(decided, (Texts{"a.test 5", "b.test 5"}));
}

TEST_F(Decided, TheSameQueryAgainTakesTheEarlierOnesPlace) {
  auto responses = with({});
  responses.wait("e", sent(query("a.test")));
  responses.wait("e", sent(query("a.test"), 6 * second));
  responses.expire(12 * second);
  EXPECT_EQ(decided, Texts{}) << "the second one's window runs";
  responses.take("e", response("a.test"), 12 * second);
  EXPECT_EQ(decided, Texts{"a.test 0"});
}

TEST_F(Decided, WithoutAResponseWhenTheWindowHasPassed) {
  auto responses = with({});
  responses.wait("e", sent(query("a.test"), 1 * second));
  responses.wait("e", sent(query("b.test"), 2 * second));
  responses.expire(11 * second);
  EXPECT_EQ(decided, Texts{});
  responses.expire(11 * second + 1);
  EXPECT_EQ(decided, Texts{"a.test -"});
  responses.take("e", response("a.test"), 12 * second);
  EXPECT_EQ(decided, Texts{"a.test -"}) << "late";
  responses.finish();
  EXPECT_EQ(decided, (Texts{"a.test -", "b.test -"}));
  EXPECT_EQ(responses.counts().unanswered, 2U);
  EXPECT_EQ(responses.counts().unmatched, 1U);
}

TEST_F(Decided, AResponseALittleBeforeItsQuery) {
  auto responses = with({});
  responses.take("e", response("a.test", 3), second);
  responses.take("e", response("b.test"), second);
  responses.wait("e", sent(query("a.test")));
  EXPECT_EQ(decided, Texts{"a.test 3"});
  responses.expire(4 * second + 1);
  responses.wait("e", sent(query("b.test")));
  EXPECT_EQ(decided, Texts{"a.test 3"}) << "too early";
  EXPECT_EQ(responses.counts().unmatched, 1U);
}

TEST_F(Decided, MemoryIsBounded) {
  auto responses = with({.queries = 2, .early_responses = 2});
  for (const char* name : {"a.test", "b.test", "c.test"}) responses.wait("e", sent(query(name)));
  EXPECT_EQ(responses.counts().evicted, 1U);
  responses.take("e", response("a.test"), second);
  responses.take("e", response("b.test"), second);
  EXPECT_EQ(decided, Texts{"b.test 0"});
  for (const char* name : {"x.test", "y.test", "z.test"}) responses.take("e", response(name), second);
  EXPECT_EQ(responses.counts().unmatched, 2U) << "a.test and x.test were pushed out";
}

TEST_F(Decided, AResponseThatAHeldQueryWillHaveIsKeptBeforeOthers) {
  auto responses = with({.early_responses = 2});
  responses.expect("held");
  responses.take("held", response("a.test", 3), second);
  for (const char* name : {"x.test", "y.test", "z.test"}) responses.take("other", response(name), second);
  EXPECT_EQ(responses.counts().unmatched, 2U);
  responses.expected("held");
  responses.wait("held", sent(query("a.test")));
  EXPECT_EQ(decided, Texts{"a.test 3"});

  responses.expect("held");
  for (const char* name : {"x.test", "y.test", "z.test"}) responses.take("held", response(name), second);
  EXPECT_EQ(responses.counts().evicted, 1U) << "that is a loss";
  responses.expected("held");
  responses.take("held", response("w.test"), second);
  EXPECT_EQ(responses.counts().evicted, 1U) << "nobody expects them any more";
}

TEST_F(Decided, WhatCannotBeReadIsCounted) {
  auto responses = with({});
  responses.wait("e", sent(query("a.test")));
  responses.take("e", "junk", second);
  std::string cut = response("a.test");
  cut[7] = 1;  // promises an answer
  responses.take("e", cut, second);
  EXPECT_EQ(responses.counts().unreadable, 2U);
  EXPECT_EQ(decided, Texts{"a.test 0"}) << "by what could be read";
}

TEST(Exchange, OfACandidateAndOfItsResponse) {
  nsl_candidate candidate = query("a.test");
  candidate.socket = 7;
  candidate.id = 0x4D53;
  candidate.server_port = 53;
  candidate.family = 4;
  candidate.transport = NSL_UDP;
  nsl_response came{};
  came.exchange = {.socket = 7,
                   .server = {192, 0, 2, 1},
                   .server_port = 53,
                   .id = 0x4D53,
                   .family = 4,
                   .transport = NSL_UDP,
                   .reserved = 0};
  EXPECT_NE(exchange_of(candidate), exchange_of(came));
  std::memcpy(candidate.server, came.exchange.server, 4);
  EXPECT_EQ(exchange_of(candidate), exchange_of(came));
  candidate.transport = NSL_TCP;
  EXPECT_NE(exchange_of(candidate), exchange_of(came));
}

TEST(Exchange, AQueryToAnyAddressIsAnsweredFromLoopback) {
  nsl_candidate candidate = query("a.test");
  nsl_response came{};
  candidate.family = came.exchange.family = 4;
  came.exchange.server[0] = 127;
  came.exchange.server[3] = 1;
  EXPECT_EQ(exchange_of(candidate), exchange_of(came));
  candidate.family = came.exchange.family = 6;
  std::memset(came.exchange.server, 0, 16);
  came.exchange.server[15] = 1;
  EXPECT_EQ(exchange_of(candidate), exchange_of(came));
}

}  // namespace
}  // namespace nslookout::agent
