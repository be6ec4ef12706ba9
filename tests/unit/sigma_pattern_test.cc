// sigma/pattern.h: the text of a value -> tokens.
#include "sigma/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace nslookout::sigma {
namespace {

// Tokens in a notation without escapes: <literal>, [?], [*].
std::string shown(const Pattern& pattern) {
  std::string out;
  for (const Token& token : pattern.tokens) {
    if (token.kind == Token::Kind::literal) out += "<" + token.text + ">";
    if (token.kind == Token::Kind::one) out += "[?]";
    if (token.kind == Token::Kind::run) out += "[*]";
  }
  return out;
}

TEST(SigmaPattern, WildcardsAndEscapes) {
  const struct {
    const char* value;
    const char* tokens;
  } cases[] = {
      {"", ""},
      {"Abc", "<abc>"},
      {"*", "[*]"},
      {"a*b?c", "<a>[*]<b>[?]<c>"},
      {"a**b", "<a>[*]<b>"},
      {"??", "[?][?]"},
      {R"(a\*b)", "<a*b>"},
      {R"(a\?b)", "<a?b>"},
      {R"(a\b)", R"(<a\b>)"},
      {R"(a\\b)", R"(<a\b>)"},
      {R"(\\\\x)", R"(<\\x>)"},
      {R"(\\\x)", R"(<\\x>)"},
      {R"(\\*)", R"(<\>[*])"},
      {R"(\\\*)", R"(<\*>)"},
      {R"(end\)", R"(<end\>)"},
  };
  for (const auto& c : cases) EXPECT_EQ(shown(parse_pattern(c.value, false)), c.tokens) << c.value;
  EXPECT_EQ(shown(parse_pattern("AbC", true)), "<AbC>");
}

TEST(SigmaPattern, ModifiersAddRunsToTokensAndNeverTwice) {
  Pattern pattern = parse_pattern(R"(x\)", false);
  add_run_at_end(pattern);
  EXPECT_EQ(shown(pattern), R"(<x\>[*])");
  pattern = parse_pattern("*x*", false);
  add_run_at_start(pattern);
  add_run_at_end(pattern);
  EXPECT_EQ(shown(pattern), "[*]<x>[*]");
  pattern = parse_pattern("", false);
  add_run_at_start(pattern);
  EXPECT_EQ(shown(pattern), "[*]");
}

TEST(SigmaPattern, NamesLoseOneTrailingDotWhereTheEndIsFixed) {
  const struct {
    const char* value;
    const char* tokens;
  } cases[] = {
      {"evil.test.", "<evil.test>"},
      {"*.evil.test.", "[*]<.evil.test>"},
      {"evil.test..", "<evil.test.>"},
      {"evil.*", "<evil.>[*]"},
      {".", "<.>"},
      {R"(evil\.)", R"(<evil\.>)"},
      {R"(evil\\\\.)", R"(<evil\\>)"},
  };
  for (const auto& c : cases) {
    Pattern pattern = parse_pattern(c.value, false);
    ASSERT_TRUE(adapt_to_names(pattern)) << c.value;
    EXPECT_EQ(shown(pattern), c.tokens) << c.value;
  }
}

TEST(SigmaPattern, LabelsOutsideAsciiBecomeALabelsOrAreRefused) {
  const std::string bucher =
      "b\xC3\xBC"
      "cher";
  const struct {
    std::string value;
    const char* tokens;  // nullptr: refused
  } cases[] = {
      {bucher + ".test", "<xn--bcher-kva.test>"},
      {"B\xC3\x9C"
       "CHER.TEST",
       "<xn--bcher-kva.test>"},
      {"*." + bucher + ".test", "[*]<.xn--bcher-kva.test>"},
      {"*." + bucher + ".*", "[*]<.xn--bcher-kva.>[*]"},
      {bucher + ".*", "<xn--bcher-kva.>[*]"},
      {"*" + bucher + ".test", nullptr},
      {bucher + "*", nullptr},
      {"www." + bucher + "?.test", nullptr},
  };
  for (const auto& c : cases) {
    Pattern pattern = parse_pattern(c.value, false);
    const Result<void> adapted = adapt_to_names(pattern);
    if (c.tokens == nullptr) {
      ASSERT_FALSE(adapted) << c.value;
      EXPECT_NE(adapted.error().message.find("only part of a label"), std::string::npos);
    } else {
      ASSERT_TRUE(adapted) << c.value << ": " << adapted.error().message;
      EXPECT_EQ(shown(pattern), c.tokens);
    }
  }
}

}  // namespace
}  // namespace nslookout::sigma
