// sigma/condition.h: the grammar of conditions.
#include "sigma/condition.h"

#include <gtest/gtest.h>

#include <string>

#include "sigma_rule_text.h"

namespace nslookout::sigma {
namespace {

// An expression in full parentheses, selections by their names.
std::string shown(const Rule& rule, const Expression& expression) {
  switch (expression.kind) {
    case Expression::Kind::selection:
      return rule.selections[expression.index].name;
    case Expression::Kind::negation:
      return "!" + shown(rule, expression.children[0]);
    case Expression::Kind::test:
      return "test";
    default:
      break;
  }
  std::string out;
  for (const Expression& child : expression.children) {
    if (!out.empty()) out += expression.kind == Expression::Kind::all ? "&" : "|";
    out += shown(rule, child);
  }
  return "(" + out + ")";
}

std::string detection_with(const std::string& condition) {
  std::string detection;
  for (const char* name : {"a", "b", "sel_1", "sel_2", "other_main", "_hidden", "notepad", "sel-x", "all"}) {
    detection += std::string("  ") + name + ":\n    query: x\n";
  }
  return rule_with_detection(detection + "  condition: " + condition + "\n");
}

TEST(SigmaCondition, Grammar) {
  const struct {
    const char* condition;
    const char* shown;
  } cases[] = {
      {"a", "a"},
      {"a or b and not sel_1", "(a|(b&!sel_1))"},
      {"not a and b", "(!a&b)"},
      {"not not a", "!!a"},
      {"not (a or b) and sel_1", "(!(a|b)&sel_1)"},
      {"(a)", "a"},
      {"( a or(b))and sel-x", "((a|b)&sel-x)"},
      {"a or b or sel_1", "(a|b|sel_1)"},
      {"1 of sel_*", "(sel_1|sel_2)"},
      {"any of sel_*", "(sel_1|sel_2)"},
      {"all of sel_*", "(sel_1&sel_2)"},
      {"all of *_main", "(other_main)"},
      {"1 of sel*2", "(sel_2)"},
      {"1 of them", "(a|b|sel_1|sel_2|other_main|notepad|sel-x|all)"},
      {"1 of _*", "(_hidden)"},
      {"1 of a", "(a)"},
      {"not 1 of sel_*", "!(sel_1|sel_2)"},
      {"a and not 1 of none_*", "(a&!())"},
      {"notepad", "notepad"},
      {"all", "all"},
      {"_hidden", "_hidden"},
      {"a AND NOT b OR sel_1", "((a&!b)|sel_1)"},
      {"[a, b and sel_1]", "(a|(b&sel_1))"},
      {"'a or b'", "(a|b)"},
  };
  for (const auto& c : cases) {
    const std::vector<Rule> rules = rules_of(detection_with(c.condition));
    ASSERT_EQ(rules.size(), 1u) << c.condition;
    EXPECT_EQ(shown(rules[0], rules[0].condition), c.shown) << c.condition;
  }
}

TEST(SigmaCondition, RefusalsSayWhereAndWhy) {
  const int line = 23;  // of the condition in detection_with
  const int column = 14;
  const struct {
    const char* condition;
    int offset;
    const char* words;
  } cases[] = {
      {"nope", 0, "no selection of this rule"},
      {"a and nope", 6, "no selection of this rule"},
      {"'a and nope'", 7, "no selection of this rule"},
      {"a b", 2, "not expected"},
      {"a and", 0, "ends where a selection is expected"},
      {"and a", 0, "not expected"},
      {"(a or b", 0, "never closed"},
      {"a)", 1, "not expected"},
      {"()", 1, "not expected"},
      {"2 of sel_*", 0, "no quantifier"},
      {"1 of", 0, "ends where"},
      {"all of none_*", 7, "names no selection"},
      {"a | count() > 5", 2, "aggregations"},
      {"count(x) by y > 5", 0, "aggregations"},
      {"''", 0, "empty"},
      {"[]", 0, "must be a text or a list"},
      {"{a: b}", 0, "must be a text or a list"},
      {"[a, [b]]", 4, "must be a text"},
  };
  for (const auto& c : cases) {
    const RuleSet set = parse_rules(detection_with(c.condition), "t.yml");
    EXPECT_TRUE(set.rules.empty()) << c.condition;
    ASSERT_EQ(set.error_count(), 1u) << c.condition;
    const Finding& finding = set.findings.back();
    EXPECT_NE(finding.what.find(c.words), std::string::npos) << c.condition << " -> " << finding.text();
    EXPECT_EQ(finding.place.line, line) << finding.text();
    EXPECT_EQ(finding.place.column, column + c.offset) << finding.text();
  }
}

TEST(SigmaCondition, HostileConditionsAreBounded) {
  const std::string depth(100'000, '(');
  EXPECT_NE(parse_rules(detection_with("'" + depth + "'"), "t.yml").findings.front().what.find("deeper"),
            std::string::npos);
  std::string nots;
  for (int i = 0; i < 100'000; ++i) nots += "not ";
  EXPECT_NE(parse_rules(detection_with(nots + "a"), "t.yml").findings.front().what.find("deeper"), std::string::npos);
  std::string many = "1 of them";
  for (int i = 0; i < 20'000; ++i) many += " or 1 of them";
  EXPECT_NE(parse_rules(detection_with(many), "t.yml").findings.front().what.find("parts"), std::string::npos);
}

TEST(SigmaCondition, CapitalsAndEmptyPatternsWarn) {
  EXPECT_EQ(parse_rules(detection_with("a AND b"), "t.yml").findings.size(), 1u);
  const RuleSet set = parse_rules(detection_with("a and not 1 of filter_*"), "t.yml");
  ASSERT_EQ(set.findings.size(), 1u);
  EXPECT_EQ(set.findings[0].kind, FindingKind::warning);
}

TEST(SigmaCondition, PlacesAreThoseOfTheFile) {
  const struct {
    const char* condition;
    int column;
  } cases[] = {
      {"a and\n    nope", 14},    {">-\n    a and\n    nope", 14},     {"|\n    a and nope", 14},
      {"\"a \\x61nd nope\"", 14}, {"\"s\xC3\xBC\xC3\xBC and a\"", 15}, {"'a and (\xC3\xBC'", 22},
  };
  for (const auto& c : cases) {
    const RuleSet set = parse_rules(detection_with(c.condition), "t.yml");
    ASSERT_EQ(set.error_count(), 1u) << c.condition;
    EXPECT_EQ(set.findings.front().place.line, 23) << c.condition;
    EXPECT_EQ(set.findings.front().place.column, c.column) << set.findings.front().text();
  }
  const RuleSet key = parse_rules(rule_with_test("\"f\xC3\xBC\xC3\xBC|bogus\": x"), "t.yml");
  ASSERT_EQ(key.findings.size(), 1u);
  EXPECT_EQ(key.findings[0].place.column, 10);
}

}  // namespace
}  // namespace nslookout::sigma
