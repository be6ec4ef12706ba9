// The packets that stand in for a server's answer to a blocked query, octet for octet where it matters: RFC 1035 section
// 4.1.1, RFC 9293 section 3.1, RFC 1071.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "agent/answers.h"

namespace nslookout::agent {
namespace {

constexpr std::string_view wire{
    "\x03"
    "WwW\x04"
    "evil\x04"
    "test\0",
    15};

nsl_candidate candidate_of(std::uint8_t family, std::uint8_t transport) {
  nsl_candidate candidate{};
  candidate.family = family;
  candidate.transport = transport;
  candidate.flags = NSL_FLAG_BLOCKED;
  candidate.source[0] = 0xFD;
  candidate.source[3] = 7;
  candidate.source[15] = family == 6 ? 9 : 0;
  candidate.wire_server[0] = 0xFE;
  candidate.wire_server[3] = 53;
  candidate.wire_server[15] = family == 6 ? 1 : 0;
  candidate.server[0] = 99;  // before a NAT: not the one to answer for
  candidate.server_port = 53;
  candidate.wire_port = 5341;
  candidate.source_port = 40000;
  candidate.id = 0xBEEF;
  candidate.dns_flags = 0x0130;  // RD, AD, CD
  candidate.record_type = 28;
  candidate.record_class = 1;
  candidate.name_length = static_cast<nsl_u16>(wire.size());
  std::copy(wire.begin(), wire.end(), candidate.name);
  candidate.tcp_sequence = 0xF0;
  candidate.tcp_acknowledged = 0x11000022;
  return candidate;
}

std::uint32_t at16(std::string_view octets, std::size_t at) {
  return static_cast<std::uint32_t>(static_cast<std::uint8_t>(octets[at]) << 8 |
                                    static_cast<std::uint8_t>(octets[at + 1]));
}

std::uint32_t at32(std::string_view octets, std::size_t at) { return at16(octets, at) << 16 | at16(octets, at + 2); }

// A receiver's test: the one's complement sum of the pseudo-header and the whole segment has no zero bit.
bool checksum_holds(std::string_view packet, std::uint8_t protocol) {
  const bool v4 = static_cast<std::uint8_t>(packet[0]) >> 4 == 4;
  std::string octets(v4 ? packet.substr(12, 8) : packet.substr(8, 32));
  std::string segment(packet.substr(v4 ? 20 : 40));
  octets += {0, static_cast<char>(protocol), static_cast<char>(segment.size() >> 8), static_cast<char>(segment.size())};
  octets += segment;
  if (octets.size() % 2 != 0) octets += '\0';
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); i += 2) sum += at16(octets, i);
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return sum == 0xFFFF;
}

TEST(AnswerPacket, RepeatsTheQuestionAndSaysWhatIsAsked) {
  const auto candidate = candidate_of(4, NSL_UDP);
  for (const auto& [kind, rcode] : {std::pair{AnswerKind::nxdomain, 3}, std::pair{AnswerKind::refused, 5}}) {
    std::string expected{'\xBE', '\xEF', '\x81', static_cast<char>(0x90 | rcode), 0, 1, 0, 0, 0, 0, 0, 0};
    expected += wire;
    expected += {0, 28, 0, 1};
    EXPECT_EQ(answer_packet(candidate, kind).substr(28), expected);
  }
  EXPECT_EQ(answer_packet(candidate, AnswerKind::none), "");
}

TEST(AnswerPacket, DatagramOverEachVersionOfIp) {
  for (const std::uint8_t family : {4, 6}) {
    SCOPED_TRACE(family);
    const auto packet = answer_packet(candidate_of(family, NSL_UDP), AnswerKind::nxdomain);
    const std::size_t header = family == 4 ? 20 : 40;
    if (family == 4) {
      EXPECT_EQ(at16(packet, 2), packet.size());
      EXPECT_EQ(at32(packet, 12), 0xFE000035U);
      EXPECT_EQ(at32(packet, 16), 0xFD000007U);
    } else {
      EXPECT_EQ(at32(packet, 0), 0x60000000U);
      EXPECT_EQ(at16(packet, 4), packet.size() - header);
      EXPECT_EQ(packet[23], 1);
      EXPECT_EQ(packet[39], 9);
    }
    EXPECT_EQ(at16(packet, header), 5341U) << "the port on the wire";
    EXPECT_EQ(at16(packet, header + 2), 40000U);
    EXPECT_EQ(at16(packet, header + 4), packet.size() - header);
    EXPECT_TRUE(checksum_holds(packet, 17));
  }
}

TEST(AnswerPacket, ResetOfTheConnection) {
  for (const std::uint8_t family : {4, 6}) {
    SCOPED_TRACE(family);
    const auto packet = answer_packet(candidate_of(family, NSL_TCP), AnswerKind::nxdomain);
    const std::size_t header = family == 4 ? 20 : 40;
    ASSERT_EQ(packet.size(), header + 20);
    EXPECT_EQ(at32(packet, header + 4), 0x11000022U) << "what the client expects next";
    EXPECT_EQ(at32(packet, header + 8), 0xF0U) << "what it sent has not arrived";
    EXPECT_EQ(at16(packet, header + 12), 0x5014U) << "20 octets, RST and ACK";
    EXPECT_TRUE(checksum_holds(packet, 6));
  }
}

TEST(AnswerPacket, ResetAtTheServer) {
  const auto packet = server_reset_packet(candidate_of(4, NSL_TCP));
  EXPECT_EQ(at32(packet, 12), 0xFD000007U);
  EXPECT_EQ(at32(packet, 16), 0xFE000035U);
  EXPECT_EQ(at16(packet, 20), 40000U);
  EXPECT_EQ(at16(packet, 22), 5341U);
  EXPECT_EQ(at32(packet, 24), 0xF0U) << "what the server expects next";
  EXPECT_TRUE(checksum_holds(packet, 6));
}

TEST(AnswerKinds, HaveNames) {
  EXPECT_EQ(answer_from_name("nxdomain"), AnswerKind::nxdomain);
  EXPECT_EQ(answer_from_name("refused"), AnswerKind::refused);
  EXPECT_EQ(answer_from_name("none"), AnswerKind::none);
  EXPECT_EQ(answer_from_name("drop"), std::nullopt);
}

TEST(Answers, AnswerOnlyWhatIsBlocked) {
  Answers answers(AnswerKind::nxdomain, "/nonexistent");
  auto candidate = candidate_of(4, NSL_UDP);
  candidate.flags = NSL_FLAG_WOULD_BLOCK;
  answers.answer(candidate);
  EXPECT_EQ(answers.failed(), 0U);
  candidate.flags = NSL_FLAG_BLOCKED;
  answers.answer(candidate);
  EXPECT_EQ(answers.failed(), 1U) << "its namespace cannot be found";
}

}  // namespace
}  // namespace nslookout::agent
