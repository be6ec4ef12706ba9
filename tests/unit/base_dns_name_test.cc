// base/dns_name.h: wire form and presentation form (RFC 1035 sections 3.1 and 5.1).
#include "base/dns_name.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace nslookout {
namespace {

using namespace std::string_literals;

// One label after its length octet.
std::string label(std::string_view text) {
  std::string out;
  out += static_cast<char>(text.size());
  out += text;
  return out;
}
std::string name(const std::vector<std::string>& labels) {
  std::string out;
  for (const std::string& text : labels) out += label(text);
  return out + '\0';
}

TEST(DnsName, WireAndPresentationAgree) {
  const struct {
    std::string wire;
    std::string presentation;
  } cases[] = {
      {"\0"s, "."},
      {name({"evil", "test"}), "evil.test"},
      {name({"EVIL", "Test"}), "EVIL.Test"},
      {name({"_acme-challenge", "x", "test"}), "_acme-challenge.x.test"},
      {name({"a.b", "test"}), "a\\.b.test"},
      {name({"a\\b", "test"}), "a\\\\b.test"},
      {name({"q\0x"s, "test"}), "q\\000x.test"},
      {name({"My Printer", "test"}), "My\\032Printer.test"},
      {name({"caf\xC3\xA9", "test"}), "caf\\195\\169.test"},
      {name({"\xFF\x7F\n"}), "\\255\\127\\010"},
      {name({std::string(63, 'x'), "test"}), std::string(63, 'x') + ".test"},
      // A length octet that is itself a letter or a dot must not show up as one (13 CR, 46 '.', 61 '=').
      {name({std::string(13, 'a'), std::string(46, 'b'), std::string(61, 'c')}),
       std::string(13, 'a') + "." + std::string(46, 'b') + "." + std::string(61, 'c')},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(wire_to_presentation(c.wire), c.presentation);
    const Result<std::string> wire = presentation_to_wire(c.presentation);
    ASSERT_TRUE(wire) << c.presentation << ": " << wire.error().message;
    EXPECT_EQ(*wire, c.wire) << c.presentation;
    EXPECT_TRUE(is_wire_name(c.wire));
  }
}

TEST(DnsName, ATrailingDotIsTheRootAndNotALabel) {
  EXPECT_EQ(presentation_to_wire("evil.test.").value(), name({"evil", "test"}));
  EXPECT_EQ(presentation_to_wire("evil\\..").value(), name({"evil."}));
}

TEST(DnsName, WrongNamesAreRefusedInWords) {
  const std::string long_name =
      std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + "." + std::string(62, 'd');
  const struct {
    std::string text;
    std::string_view words;
  } cases[] = {
      {"", "empty"},
      {"a..b", "empty label"},
      {".a", "empty label"},
      {"a..", "empty label"},
      {std::string(64, 'x') + ".test", "at most 63"},
      {long_name, "at most 255"},
      {"a\\", "backslash"},
      {"a\\12", "three decimal digits"},
      {"a\\1x2", "three decimal digits"},
      {"a\\256", "larger than 255"},
  };
  for (const auto& c : cases) {
    const Result<std::string> wire = presentation_to_wire(c.text);
    ASSERT_FALSE(wire) << c.text;
    EXPECT_EQ(wire.error().kind, ErrorClass::invalid);
    EXPECT_NE(wire.error().message.find(c.words), std::string::npos) << wire.error().message;
  }
}

TEST(DnsName, TheLargestNamesFit) {
  std::string deepest;  // 127 labels of one octet: 255 octets on the wire
  for (int i = 0; i < 127; ++i) deepest += i == 0 ? "a" : ".a";
  const Result<std::string> wire = presentation_to_wire(deepest);
  ASSERT_TRUE(wire);
  EXPECT_EQ(wire->size(), max_name_octets);
  EXPECT_EQ(label_count(*wire), 127u);
  EXPECT_EQ(wire_to_presentation(*wire), deepest);
  EXPECT_FALSE(presentation_to_wire(deepest + ".a"));
}

TEST(DnsName, MalformedWireFormIsSeen) {
  EXPECT_FALSE(is_wire_name(""));
  EXPECT_FALSE(is_wire_name("\4evil"));
  EXPECT_FALSE(is_wire_name("\4evi\0"s));
  EXPECT_FALSE(is_wire_name("\4evil\0\0"s));
  EXPECT_FALSE(is_wire_name("\xC0\x0C"));
  EXPECT_FALSE(is_wire_name(label(std::string(64, 'x')) + '\0'));
  EXPECT_EQ(label_count("\0"s), 0u);
}

TEST(DnsName, OnlyAsciiLettersAreFolded) { EXPECT_EQ(ascii_lower("AZ@[\xC3\x89`{az"), "az@[\xC3\x89`{az"); }

}  // namespace
}  // namespace nslookout
