#include "agent/forwarders.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace nslookout::agent {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr std::uint16_t a = 1;
constexpr std::uint16_t aaaa = 28;
constexpr std::uint16_t either = 0;

// A query as these tests need it: asked by a process, of the server with a number.
struct Asked {
  std::chrono::nanoseconds at{0};
  std::uint32_t pid = 0;
  std::uint8_t server = 0;  // 10.0.0.<server>; the process that serves there has the pid 100 + server
  std::uint16_t type = a;
  std::string name = "sfrclak";
  std::uint8_t transport = NSL_UDP;
};

nsl_candidate candidate_of(const Asked& asked) {
  nsl_candidate candidate{};
  candidate.boottime = static_cast<std::uint64_t>((asked.at + 1000s).count());
  candidate.sender.process = {.start_boottime = 1, .tgid = asked.pid, .exec_id = 1};
  candidate.family = 4;
  candidate.transport = asked.transport;
  const std::uint8_t address[] = {10, 0, 0, asked.server};
  std::copy(std::begin(address), std::end(address), candidate.server);
  candidate.server_port = candidate.wire_port = 53;
  candidate.record_type = asked.type;
  const std::string wire =
      std::string(1, static_cast<char>(asked.name.size())) + asked.name + std::string("\3com\0", 5);
  candidate.name_length = static_cast<std::uint16_t>(wire.size());
  std::memcpy(candidate.name, wire.data(), wire.size());
  return candidate;
}

bool serves(const nsl_sender& sender, const identity::ClientLeg& leg, std::uint64_t /*now*/) {
  return sender.process.tgid == 100U + leg.server.ip.octets[3];
}

// Over a Unix socket a leg has no server's address: the first server stands for the resolver.
bool serves_either_way(const nsl_sender& sender, const identity::ClientLeg& leg, std::uint64_t now) {
  return leg.transport == NSL_VARLINK ? sender.process.tgid == 101 : serves(sender, leg, now);
}

// Notes each of the queries in order as the first of its lookup, under its number, and says what the last one copies.
std::optional<std::string> copied_by_last(const std::vector<Asked>& queries) {
  Forwarders forwarders(serves_either_way);
  std::optional<std::string> copied;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const nsl_candidate candidate = candidate_of(queries[i]);
    copied = forwarders.client_of(candidate);
    forwarders.note(candidate, copied.value_or(std::to_string(i)));
  }
  return copied;
}

struct Case {
  const char* what;
  std::vector<Asked> queries;
  std::optional<std::string> copied;  // number of the query whose lookup the last one belongs to
};

const Case cases[] = {
    {"the server of the client asks on", {{0ms, 7, 1}, {1ms, 101, 9}}, "0"},
    {"letters are folded", {{0ms, 7, 1, a, "sfrclak"}, {1ms, 101, 9, a, "SfRcLaK"}}, "0"},
    {"an unrelated process asks for the same name", {{0ms, 7, 1}, {1ms, 8, 9}}, std::nullopt},
    {"an unrelated process asks the same server", {{0ms, 7, 1}, {1ms, 8, 1}}, std::nullopt},
    {"another name", {{0ms, 7, 1}, {1ms, 101, 9, a, "calltan"}}, std::nullopt},
    {"another type", {{0ms, 7, 1, a}, {1ms, 101, 9, aaaa}}, std::nullopt},
    {"a forwarder before its client: a refresh of its cache", {{0ms, 101, 9}}, std::nullopt},
    {"the client's query was stamped later", {{2ms, 7, 1}, {1ms, 101, 9}}, std::nullopt},
    {"within the window", {{0ms, 7, 1}, {5s, 101, 9}}, "0"},
    {"after the window", {{0ms, 7, 1}, {5s + 1ms, 101, 9}}, std::nullopt},
    {"a server that asks itself", {{0ms, 101, 1}, {1ms, 101, 1}}, std::nullopt},
    {"a forwarder of a forwarder", {{0ms, 7, 1}, {1ms, 101, 2}, {2ms, 102, 9}}, "0"},
    {"a copy sent again", {{0ms, 7, 1}, {1ms, 101, 9}, {2ms, 101, 9}}, "0"},
    {"two clients, the first copy", {{0ms, 7, 1}, {1ms, 8, 1}, {2ms, 101, 9}}, "0"},
    {"two clients, the second copy", {{0ms, 7, 1}, {1ms, 8, 1}, {2ms, 101, 9}, {3ms, 101, 9}}, "1"},
    {"two clients, a third copy", {{0ms, 7, 1}, {1ms, 8, 1}, {2ms, 101, 9}, {3ms, 101, 9}, {4ms, 101, 9}}, "1"},
    {"of two clients the one that it serves", {{0ms, 7, 1}, {1ms, 8, 2}, {2ms, 102, 9}}, "1"},
    {"both kinds of addresses, A", {{0ms, 7, 1, either, "sfrclak", NSL_VARLINK}, {1ms, 101, 9, a}}, "0"},
    {"both kinds of addresses, AAAA after A",
     {{0ms, 7, 1, either, "sfrclak", NSL_VARLINK}, {1ms, 101, 9, a}, {1ms, 101, 9, aaaa}},
     "0"},
    {"both kinds of addresses, no other type",
     {{0ms, 7, 1, either, "sfrclak", NSL_VARLINK}, {1ms, 101, 9, 16}},
     std::nullopt},
    {"a sender that is not known", {{0ms, 7, 1}, {1ms, 0, 9}}, std::nullopt},
};

TEST(Forwarders, WhatTheLastQueryCopies) {
  for (const Case& example : cases) EXPECT_EQ(copied_by_last(example.queries), example.copied) << example.what;
}

TEST(Forwarders, TheServerIsAskedAboutOnlyWhereAllElseAgrees) {
  std::size_t asked = 0;
  Forwarders forwarders([&](const nsl_sender&, const identity::ClientLeg&, std::uint64_t) {
    ++asked;
    return false;
  });
  forwarders.note(candidate_of({0ms, 7, 1}), "0");
  for (const Asked& other : {Asked{1ms, 7, 1}, Asked{1ms, 8, 1, aaaa}, Asked{1ms, 8, 1, a, "calltan"}}) {
    EXPECT_FALSE(forwarders.client_of(candidate_of(other)));
  }
  EXPECT_EQ(asked, 0U);
  EXPECT_FALSE(forwarders.client_of(candidate_of({1ms, 8, 1})));
  EXPECT_EQ(asked, 1U);
}

// A client whose container is being asked for is decided later than its forwarder's copy comes.
TEST(Forwarders, ACopyOfAnUndecidedQueryWaitsForIt) {
  Forwarders forwarders(serves);
  const nsl_candidate client = candidate_of({0ms, 7, 1});
  const nsl_candidate copy = candidate_of({1ms, 101, 9});
  const nsl_candidate stranger = candidate_of({1ms, 8, 9});
  forwarders.note_undecided(client, {.id = "abc", .runtime = "docker", .name = {}, .image = {}});
  EXPECT_FALSE(forwarders.client_of(copy)) << "it may never become an event";
  EXPECT_FALSE(forwarders.undecided_client_of(stranger));
  const auto awaited = forwarders.undecided_client_of(copy);
  ASSERT_TRUE(awaited);
  EXPECT_EQ(awaited->id, "abc");

  forwarders.decided(client);
  EXPECT_FALSE(forwarders.undecided_client_of(copy));
  EXPECT_FALSE(forwarders.client_of(copy)) << "it became no event";
  EXPECT_EQ(forwarders.size(), 0U);
  forwarders.note(client, "x");
  EXPECT_EQ(forwarders.client_of(copy), "x");
  forwarders.decided(client);
  EXPECT_EQ(forwarders.client_of(copy), "x") << "what was decided is not forgotten";
}

TEST(Forwarders, MemoryIsBounded) {
  Forwarders forwarders(serves);
  for (std::uint32_t i = 0; i < 3 * Forwarders::capacity; ++i) {
    forwarders.note(candidate_of({0ms, 1000 + i, 1, a, "n" + std::to_string(i / 2)}), "x");
  }
  EXPECT_LE(forwarders.size(), Forwarders::capacity);
  Forwarders of_one_name(serves);
  for (std::uint32_t i = 0; i < 100; ++i) of_one_name.note(candidate_of({0ms, 1000 + i, 1}), std::to_string(i));
  EXPECT_EQ(of_one_name.size(), Forwarders::clients_of_a_name);
  EXPECT_EQ(of_one_name.client_of(candidate_of({1ms, 101, 9})), "68") << "the oldest were forgotten";
}

}  // namespace
}  // namespace nslookout::agent
