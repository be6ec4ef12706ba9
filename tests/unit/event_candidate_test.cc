#include <gtest/gtest.h>

#include <arpa/inet.h>

#include <cstring>
#include <string>
#include <string_view>

#include "event/candidate.h"

namespace nslookout::event {
namespace {

nsl_candidate candidate_for(std::string_view wire) {
  nsl_candidate candidate{};
  candidate.name_length = static_cast<nsl_u16>(wire.size());
  std::memcpy(candidate.name, wire.data(), wire.size());
  candidate.family = 4;
  candidate.transport = NSL_UDP;
  ::inet_pton(AF_INET, "127.0.0.77", candidate.server);
  candidate.server_port = candidate.wire_port = 53;
  ::inet_pton(AF_INET, "127.0.0.1", candidate.source);
  candidate.source_port = 40000;
  candidate.id = 7;
  candidate.record_type = 28;
  candidate.question_count = 1;
  return candidate;
}

struct NameCase {
  const char* name;
  std::string wire;
  std::string query;
};

class EventCandidateName : public testing::TestWithParam<NameCase> {};

TEST_P(EventCandidateName, IsShownInLowerCaseAndKeptAsSent) {
  const Dns dns = describe_dns(candidate_for(GetParam().wire));
  EXPECT_EQ(dns.query, GetParam().query);
  EXPECT_EQ(dns.query_wire, GetParam().wire);
}

INSTANTIATE_TEST_SUITE_P(Names, EventCandidateName,
                         testing::Values(NameCase{"mixed_case", std::string("\7SfRcLaK\3cOm\0", 13), "sfrclak.com"},
                                         NameCase{"root", std::string("\0", 1), "."},
                                         NameCase{"dot_in_label", std::string("\3a.B\0", 5), R"(a\.b)"},
                                         NameCase{"nul_octet", std::string("\3q\0e\4test\0", 10), R"(q\000e.test)"},
                                         NameCase{"high_octet", std::string("\2\xc3\xa9\0", 4), R"(\195\169)"}),
                         [](const auto& info) { return info.param.name; });

TEST(EventCandidate, TellsTheQuestionAndItsEnds) {
  const Dns dns = describe_dns(candidate_for(std::string_view("\1a\0", 3)));
  EXPECT_EQ(dns.record_type, "AAAA");
  EXPECT_EQ(dns.record_type_id, 28);
  EXPECT_EQ(dns.id, 7);
  EXPECT_EQ(dns.transport, "udp");
  ASSERT_TRUE(dns.server && dns.source);
  EXPECT_EQ(dns.server->ip, "127.0.0.77");
  EXPECT_EQ(dns.server->port, 53);
  EXPECT_EQ(dns.source->ip, "127.0.0.1");
  EXPECT_EQ(dns.source->port, 40000);
  EXPECT_EQ(dns.wire_port, 0) << "no NAT";
  EXPECT_EQ(dns.question_count, 0) << "one question is not worth a field";
  EXPECT_FALSE(dns.rcode);
}

TEST(EventCandidate, Ipv6TcpNatAndMoreQuestions) {
  nsl_candidate candidate = candidate_for(std::string_view("\1a\0", 3));
  candidate.family = 6;
  candidate.transport = NSL_TCP;
  ::inet_pton(AF_INET6, "2001:db8::53", candidate.server);
  std::memset(candidate.source, 0, sizeof candidate.source);
  candidate.source_port = 0;
  candidate.wire_port = 33333;
  candidate.question_count = 2;
  candidate.record_type = 65280;
  const Dns dns = describe_dns(candidate);
  EXPECT_EQ(dns.transport, "tcp");
  EXPECT_EQ(dns.server->ip, "2001:db8::53");
  EXPECT_FALSE(dns.source) << "neither address nor port is known";
  EXPECT_EQ(dns.wire_port, 33333);
  EXPECT_EQ(dns.question_count, 2);
  EXPECT_EQ(dns.record_type, "TYPE65280");
}

TEST(EventCandidate, AMalformedNameCostsTheTextNotTheEvent) {
  const Dns dns = describe_dns(candidate_for(std::string_view("\7short", 6)));
  EXPECT_EQ(dns.query, "");
  EXPECT_EQ(dns.query_wire, "\7short");
}

}  // namespace
}  // namespace nslookout::event
