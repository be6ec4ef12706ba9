// sigma/encodings.h, and the modifiers that use it: the texts that a value stands for.
#include "sigma/encodings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/base64.h"
#include "sigma_rule_text.h"

namespace nslookout::sigma {
namespace {

TEST(SigmaEncodings, AnEncodedTextHoldsOneOfTheOffsetForms) {
  for (const std::string needle : {"f", "fo", "foo", "/bin/bash", "http://"}) {
    const auto forms = to_base64_offsets(needle);
    for (const std::string before : {"", "x", "xy", "xyz", "\xFF"}) {
      for (const std::string after : {"", "x", "xy", "\xFF\xFF\xFF"}) {
        const std::string encoded = to_base64(before + needle + after);
        EXPECT_TRUE(std::ranges::any_of(
            forms, [&](const std::string& form) { return encoded.find(form) != std::string::npos; }))
            << needle << " in " << encoded;
      }
    }
  }
  EXPECT_EQ(to_base64_offsets("foobar"), (std::array<std::string, 3>{"Zm9vYmFy", "Zvb2Jhc", "mb29iYX"}));
}

TEST(SigmaEncodings, Utf16) {
  using namespace std::string_literals;
  EXPECT_EQ(to_utf16("cmd", Utf16::little_endian).value(), "c\0m\0d\0"s);
  EXPECT_EQ(to_utf16("cmd", Utf16::big_endian).value(), "\0c\0m\0d"s);
  EXPECT_EQ(to_utf16("c", Utf16::marked).value(), "\xFF\xFE"s + "c\0"s);
  EXPECT_EQ(to_utf16("\xF0\x9F\x90\xA7", Utf16::little_endian).value(), "\x3D\xD8\x27\xDC"s);  // a surrogate pair
  EXPECT_FALSE(to_utf16("\xFF", Utf16::little_endian));
}

TEST(SigmaEncodings, DashesThatBeginAWord) {
  EXPECT_EQ(dash_variants("x -f", 100), (std::vector<std::string>{"x -f", "x /f",
                                                                  "x \xE2\x80\x93"
                                                                  "f",
                                                                  "x \xE2\x80\x94"
                                                                  "f",
                                                                  "x \xE2\x80\x95"
                                                                  "f"}));
  EXPECT_EQ(dash_variants("/f", 100).size(), 5u);
  EXPECT_EQ(dash_variants("-a /b", 100).size(), 25u);
  EXPECT_EQ(dash_variants("a-b", 100), std::vector<std::string>{"a-b"});
  EXPECT_EQ(dash_variants("--", 100), std::vector<std::string>{"--"});
  EXPECT_EQ(dash_variants("--a", 100).size(), 5u);
  EXPECT_TRUE(dash_variants("-a -b -c", 100).empty());
}

// The literals of the only value of a test, joined by |; wildcards as * and ?.
std::string shown(const std::string& test, const RuleOptions& options = {}) {
  const RuleSet set = parse_rules(rule_with_test(test), "t.yml", options);
  EXPECT_EQ(set.error_count(), 0u) << set.findings.front().text();
  if (set.rules.empty()) return "";
  std::string out;
  for (const Pattern& pattern : set.rules[0].tests.at(0).values.at(0).patterns) {
    if (!out.empty()) out += "|";
    for (const Token& token : pattern.tokens) {
      out += token.kind == Token::Kind::literal ? token.text : token.kind == Token::Kind::run ? "*" : "?";
    }
  }
  return out;
}

TEST(SigmaModifiers, ApplyFromLeftToRight) {
  const struct {
    const char* test;
    const char* values;
  } cases[] = {
      {"CommandLine|base64: foobar", "zm9vymfy"},
      {"CommandLine|base64|cased: foobar", "Zm9vYmFy"},
      {"CommandLine|base64|contains: foobar", "*zm9vymfy*"},
      {"CommandLine|base64offset|contains|cased: foobar", "*Zm9vYmFy*|*Zvb2Jhc*|*mb29iYX*"},
      {"CommandLine|wide|base64|cased: cmd", "YwBtAGQA"},
      {"CommandLine|utf16le|base64|cased: cmd", "YwBtAGQA"},
      {"CommandLine|utf16be|base64|cased: cmd", "AGMAbQBk"},
      {"CommandLine|utf16|base64|cased: cmd", "//5jAG0AZAA="},
      {"CommandLine|windash|contains: ' -f'",
       "* -f*|* /f*|* \xE2\x80\x93"
       "f*|* \xE2\x80\x94"
       "f*|* \xE2\x80\x95"
       "f*"},
      {"CommandLine|contains: 'A*b'", "*a*b*"},
      {"CommandLine|contains: 'a\\*b'", "*a*b*"},
      {"CommandLine: '%a%'", "%a%"},
      {"query|windash: -a.test", "-a.test|/a.test"},
      {"query|utf16: a.test", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(shown(c.test), c.values) << c.test;
}

TEST(SigmaModifiers, ExpandWritesOutWhatNamesStandFor) {
  RuleOptions options;
  options.expansions = {{"one", {"x"}}, {"two", {"y*", "z"}}};
  const struct {
    const char* test;
    const char* values;
  } cases[] = {
      {"User|expand: '%one%'", "x"},
      {"User|expand: 'a%one%b'", "axb"},
      {"User|expand: '%two%.%two%'", "y*.y*|y*.z|z.y*|z.z"},
      {"User|expand|contains: '%two%'", "*y*|*z*"},
      {"User|contains|expand: '%two%'", "*y*|*z*"},
      {"User|expand: '\\%one\\%'", "%one%"},
      {"User|expand: '100%'", "100%"},
      {"User|expand: '%%'", "%%"},
      {"User|expand: 'a\\*%one%'", "a*x"},
  };
  for (const auto& c : cases) EXPECT_EQ(shown(c.test, options), c.values) << c.test;
}

TEST(SigmaModifiers, VariantsOfAFileAreBounded) {
  const auto errors_of = [](const std::string& values, std::size_t documents) {
    std::string text;
    for (std::size_t i = 0; i < documents; ++i) {
      text += rule_with_detection("  s:\n    CommandLine|windash|contains:\n" + values + "  condition: s\n") + "---\n";
    }
    return parse_rules(text, "t.yml").findings;
  };
  const std::string options = "-a -b -c -d -e";  // 3,125 variants
  std::string many;
  for (int i = 0; i < 60; ++i) many += "      - 'x" + std::to_string(i) + " " + options + "'\n";
  const auto of_values = errors_of(many, 1);
  ASSERT_FALSE(of_values.empty());
  EXPECT_NE(of_values[0].what.find("16 MiB of variants of the values of this file"), std::string::npos);
  EXPECT_GT(of_values[0].place.line, 7);
  const auto of_documents = errors_of("      - '" + options + "'\n", 60);
  ASSERT_FALSE(of_documents.empty());
  EXPECT_GT(of_documents[0].document, 1u);
  const auto of_one = errors_of("      - '" + std::string(1'000'000, 'x') + " " + options + "'\n", 1);
  ASSERT_EQ(of_one.size(), 1u);
  EXPECT_NE(of_one[0].what.find("16 MiB of variants of this value"), std::string::npos);
  EXPECT_TRUE(errors_of("      - '" + options + "'\n", 1).empty());
  EXPECT_TRUE(errors_of("      - '" + std::string(1'000'000, 'x') + "'\n", 3).empty());
}

TEST(SigmaModifiers, ATextThatOneBase64FormHasNothingOfIsRefused) {
  for (const char* test : {"CommandLine|base64offset|contains: x", "CommandLine|base64offset: ''"}) {
    const RuleSet set = parse_rules(rule_with_test(test), "t.yml");
    ASSERT_EQ(set.error_count(), 1u) << test;
    EXPECT_NE(set.findings[0].what.find("needs a text of two octets"), std::string::npos);
  }
  EXPECT_EQ(shown("CommandLine|base64offset|cased: xy"), "eH|h5|4e");
}

}  // namespace
}  // namespace nslookout::sigma
