// base/dns_response.h: what is read of a response, and where reading stops.
#include "base/dns_response.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace nslookout {
namespace {

using std::string_literals::operator""s;

std::string big_endian(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xFF), static_cast<char>(value & 0xFF)};
}

struct Header {
  unsigned flags = 0x8180;
  unsigned questions = 1, answers = 0, authorities = 0, additionals = 0;
};

std::string octets(const Header& header) {
  return big_endian(0x4D53) + big_endian(header.flags) + big_endian(header.questions) + big_endian(header.answers) +
         big_endian(header.authorities) + big_endian(header.additionals);
}

// At offset 12; its name's second label, "test", is at 19.
const std::string question = "\6Asked1\4test\0\0\1\0\1"s;
const std::string asked_name = "\xC0\x0C";

std::string record(unsigned type, const std::string& data, const std::string& owner = asked_name,
                   unsigned record_class = 1, unsigned ttl_high = 0) {
  return owner + big_endian(type) + big_endian(record_class) + big_endian(ttl_high) + big_endian(60) +
         big_endian(static_cast<unsigned>(data.size())) + data;
}

DnsResponse parsed(const std::string& message) {
  const auto response = parse_dns_response(message);
  EXPECT_TRUE(response);
  return response.value_or(DnsResponse{});
}

TEST(DnsResponse, AnswersInPresentationForm) {
  const struct {
    const char* what;
    unsigned type;
    std::string data;
    std::string expected;
  } cases[] = {
      {"A", 1, "\xC0\0\2\1"s, "192.0.2.1"},
      {"an A of three octets", 1, "\xC0\0\2"s, "\\# 3 c00002"},
      {"AAAA", 28, "\x20\1\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\1"s, "2001:db8::1"},
      {"AAAA, v4-mapped", 28, "\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xC0\0\2\1"s, "::ffff:192.0.2.1"},
      {"CNAME, compressed", 5, "\3WWW\xC0\x13"s, "www.test"},
      {"CNAME with a dot inside a label", 5, "\3a.b\0"s, "a\\.b"},
      {"CNAME to the root", 5, "\0"s, "."},
      {"DNAME", 39, "\1d\xC0\x13"s, "d.test"},
      {"NS", 2, "\2ns\xC0\x13"s, "ns.test"},
      {"PTR", 12, "\1p\xC0\x13"s, "p.test"},
      {"MX", 15, "\0\x0A\2mx\xC0\x13"s, "mx.test"},
      {"SRV", 33, "\0\1\0\2\0\x50\3srv\xC0\x13"s, "srv.test"},
      {"CNAME with octets behind the name", 5, "\1d\xC0\x13\0"s, "\\# 5 0164c01300"},
      {"CNAME that points to itself", 5, "\xC0\x29"s, "\\# 2 c029"},
      {"MX without a name", 15, "\0\x0A"s, "\\# 2 000a"},
      {"TXT, two strings", 16, "\2ab\3c d"s, "abc d"},
      {"TXT, empty", 16, "\0"s, ""},
      {"TXT with a backslash, a quote and odd octets", 16, "\5\\\"\n\xFF~"s, "\\\\\"\\010\\255~"},
      {"TXT that promises more than it has", 16, "\5abc"s, "\\# 4 05616263"},
      {"HTTPS", 65, "\0\1\0"s, "\\# 3 000100"},
      {"a type without a name, no data", 65280, ""s, "\\# 0"},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.what);
    const DnsResponse response = parsed(octets({.answers = 1}) + question + record(row.type, row.data));
    EXPECT_FALSE(response.damaged);
    EXPECT_EQ(response.answers, std::vector<std::string>{row.expected});
  }
}

TEST(DnsResponse, EveryRecordInOrderAndTheQuestionInLowerCase) {
  const DnsResponse response =
      parsed(octets({.answers = 3, .authorities = 1}) + question + record(5, "\1a\xC0\x13"s) +
             record(5, "\1b\xC0\x13"s, "\1a\xC0\x13") + record(1, "\x0A\0\0\1"s, "\1b\xC0\x13") + record(2, "\1n\0"s));
  EXPECT_EQ(response.answers, (std::vector<std::string>{"a.test", "b.test", "10.0.0.1"}));
  EXPECT_EQ(response.id, 0x4D53);
  ASSERT_EQ(response.questions.size(), 1U);
  EXPECT_EQ(response.questions[0].wire, "\6asked1\4test\0"s);
  EXPECT_EQ(response.questions[0].record_type, 1);
  EXPECT_EQ(response.questions[0].record_class, 1);
}

TEST(DnsResponse, Codes) {
  const auto opt = [](unsigned high) { return "\0\0\x29\x10\0"s + static_cast<char>(high) + "\0\0\0\0\0"s; };
  EXPECT_EQ(parsed(octets({.flags = 0x8183}) + question).rcode, 3);
  EXPECT_EQ(parsed(octets({.additionals = 1}) + question + opt(1)).rcode, 16);
  EXPECT_EQ(parsed(octets({.flags = 0x8187, .additionals = 1}) + question + opt(1)).rcode, 23);
  EXPECT_EQ(parsed(octets({.flags = 0x8183, .additionals = 1}) + question + opt(0)).rcode, 3);
  EXPECT_TRUE(parsed(octets({.flags = 0x8380}) + question).truncated);
  EXPECT_FALSE(parsed(octets({}) + question).truncated);
}

TEST(DnsResponse, WhatIsNone) {
  for (const std::string& message :
       {""s, octets({}).substr(0, 11), octets({.flags = 0x0100}) + question, octets({.flags = 0xA800}) + question}) {
    EXPECT_FALSE(parse_dns_response(message));
  }
}

TEST(DnsResponse, WhatComesBeforeTheDamageCounts) {
  const std::string good = octets({.answers = 2}) + question + record(1, "\x0A\0\0\1"s);
  const struct {
    const char* what;
    std::string behind;
  } cases[] = {
      {"the message ends", ""},
      {"within the owner", "\3ww"},
      {"within the fixed fields", asked_name + "\0\1\0\1\0\0"s},
      {"within the data", record(1, "\x0A\0\0\2"s).substr(0, 14)},
      {"an owner of a label type that is none", record(1, "\x0A\0\0\2"s, "\x81x")},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.what);
    const DnsResponse response = parsed(good + row.behind);
    EXPECT_TRUE(response.damaged);
    EXPECT_EQ(response.answers, std::vector<std::string>{"10.0.0.1"});
  }
  EXPECT_TRUE(parsed(octets({}) + "\3abc").damaged) << "a question that is cut off";
  EXPECT_FALSE(parsed(octets({.additionals = 1}) + question + "\3abc").damaged) << "behind the answers";
}

TEST(DnsResponse, NoQuestionAndMany) {
  EXPECT_TRUE(parsed(octets({.flags = 0x8185, .questions = 0})).questions.empty());
  std::string message = octets({.questions = 20, .answers = 1});
  for (int i = 0; i < 20; ++i) message += question;
  const DnsResponse response = parsed(message + record(1, "\x0A\0\0\1"s));
  EXPECT_EQ(response.questions.size(), 8U);
  EXPECT_EQ(response.answers.size(), 1U);
}

TEST(DnsResponse, AnOwnerThatCannotBeReadHidesNothing) {
  for (const std::string& owner : {"\xC0\x1D"s, "\xC3\xFF"s, "\1x\xC0\x1D"s}) {
    const DnsResponse response = parsed(octets({.answers = 1}) + question + record(1, "\x0A\0\0\1"s, owner));
    EXPECT_EQ(response.answers, std::vector<std::string>{"10.0.0.1"});
  }
}

// A name of 255 octets is the longest; pointers to pointers end.
TEST(DnsResponse, LongNamesAndChainsOfPointers) {
  std::string longest;
  for (int i = 0; i < 3; ++i) longest += "\x3F" + std::string(63, 'a');
  longest += "\x3D" + std::string(61, 'a') + '\0';
  EXPECT_EQ(parsed(octets({.answers = 1}) + question + record(5, longest)).answers[0].size(), 253U);
  EXPECT_EQ(parsed(octets({.answers = 1}) + question + record(5, "\1b" + longest)).answers[0].substr(0, 6), "\\# 257");

  std::string chain = "\1c\xC0\x13"s;  // at offset 41, the data; then pointers, each to the one before
  for (unsigned at = 45; at < 145; at += 2) {
    chain += "\xC0" + std::string(1, static_cast<char>(at == 45 ? 41 : at - 2));
  }
  const DnsResponse response = parsed(octets({.answers = 2}) + question + record(16, chain) + record(5, "\xC0\x8F"s));
  EXPECT_EQ(response.answers[1], "c.test");
}

}  // namespace
}  // namespace nslookout
