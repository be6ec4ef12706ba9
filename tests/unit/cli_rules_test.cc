// cli/: what check, explain and match say about rules.
#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/check_report.h"
#include "cli/explain_report.h"
#include "cli/match_report.h"

namespace nslookout::cli {
namespace {

using nlohmann::json;

sigma::RuleSet mixed_set() {
  sigma::Rule rule;
  rule.file = "b.yml";
  rule.place = {1, 1};
  rule.title = "a title\nb.yml:9:9: invalid: forged";
  rule.id = "some-id";
  rule.level = "high";
  sigma::RuleSet set;
  set.files = 3;
  set.rules = {rule};
  set.findings = {{sigma::FindingKind::warning, "b.yml", {4, 2}, "too wide"},
                  {sigma::FindingKind::broken, "a.yml", {10, 3}, "no modifier"},
                  {sigma::FindingKind::not_evaluated, "a.yml", {2, 3}, "cidr"},
                  {sigma::FindingKind::broken, "c.yml", {}, "cannot be read"}};
  return set;
}

compile::Plan plan_of(const sigma::RuleSet& set) { return compile::make_plan(set.rules, {}); }

TEST(CliCheckText, OneLineEachInTheOrderOfPlaces) {
  const auto set = mixed_set();
  EXPECT_EQ(check_text(set, plan_of(set)),
            "a.yml:2:3: not evaluated: cidr\n"
            "a.yml:10:3: invalid: no modifier\n"
            "b.yml:1:1: valid, never fires: no lookup can make it true: a title\\x0ab.yml:9:9: invalid: forged "
            "(some-id)\n"
            "b.yml:4:2: warning: too wide\n"
            "c.yml: invalid: cannot be read\n"
            "files 3, valid rules 1, invalid 2, not evaluated 1, of another log source 0, warnings 1\n");
}

TEST(CliCheckJson, RulesAndFindingsWithTheirPlaces) {
  const auto set = mixed_set();
  const auto report = json::parse(check_json(set, plan_of(set)));
  EXPECT_EQ(report["valid"], false);
  EXPECT_EQ(report["files"], 3);
  EXPECT_EQ(report["rules"][0]["id"], "some-id");
  EXPECT_EQ(report["findings"].size(), 4u);
  EXPECT_EQ(report["findings"][1]["kind"], "invalid");
  EXPECT_EQ(report["findings"][1]["line"], 10);
  EXPECT_EQ(report["findings"][1]["column"], 3);

  auto clean = mixed_set();
  clean.findings.clear();
  EXPECT_EQ(json::parse(check_json(clean, plan_of(clean)))["valid"], true);
}

// One rule with the given tests, all of which must hold.
sigma::RuleSet rule_with(const std::string& tests) {
  return sigma::parse_rules(
      "title: one\nid: 11111111-2222-4333-8444-555555555555\nlogsource: {category: dns}\n"
      "level: high\ndetection:\n  sel:\n" +
          tests + "  condition: sel\n",
      "one.yml");
}

TEST(CliCheckJson, CanFireDegradedOrNever) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"    query: evil.test\n", "can_fire"},
      {"    - query: evil.test\n    - answers: 192.0.2.1\n", "degraded"},
      {"    query: evil.test\n    answers: 192.0.2.1\n", "never"},
      {"    query: 'evil..test'\n", "never"},
  };
  for (const auto& [tests, firing] : cases) {
    const auto set = rule_with(tests);
    ASSERT_EQ(set.rules.size(), 1u) << tests;
    const auto report = json::parse(check_json(set, plan_of(set)));
    EXPECT_EQ(report["rules"][0]["firing"], firing) << tests << report.dump();
  }
}

TEST(CliExplain, SaysWhatTheKernelDecidesAndWhatForcesEveryQueryOut) {
  const auto exact = rule_with("    query: evil.test\n");
  const auto by_name = json::parse(explain_json(plan_of(exact)));
  EXPECT_EQ(by_name["every_query"], false);
  EXPECT_EQ(by_name["kernel_names"], 1);
  EXPECT_EQ(by_name["rules"][0]["reach"], "by_name");
  EXPECT_EQ(by_name["rules"][0]["kernel_decides"], true);
  EXPECT_EQ(by_name["rules"][0]["names"][0], json({{"name", "evil.test"}, {"exact", true}, {"below", false}}));
  EXPECT_NE(explain_text(plan_of(exact)).find("names     evil.test\n"), std::string::npos);

  const auto suffix = rule_with("    query|endswith: .evil.test\n");
  EXPECT_NE(explain_text(plan_of(suffix)).find("names     *.evil.test\n"), std::string::npos)
      << explain_text(plan_of(suffix));

  const auto substring = rule_with("    query|contains: evil\n");
  EXPECT_EQ(json::parse(explain_json(plan_of(substring)))["rules"][0]["reach"], "every_query");
  EXPECT_NE(explain_text(plan_of(substring)).find("force every query out of the kernel 1\n"), std::string::npos);
}

TEST(CliMatch, TextAndJsonOfTheHits) {
  const auto set = rule_with("    query: evil.test\n");
  const auto plan = plan_of(set);
  const match::Verifier verifier(plan);
  const auto query = match::Query::of_name("EVIL.test.");
  ASSERT_TRUE(query);
  const auto hits = verifier.matches(*query);
  EXPECT_EQ(match_text("EVIL.test.", hits),
            "EVIL.test.: high: one (11111111-2222-4333-8444-555555555555), query=evil.test, one.yml\n");
  const auto line = match_json("EVIL.test.", hits);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto report = json::parse(line);
  EXPECT_EQ(report["query"], "EVIL.test.");
  EXPECT_EQ(report["rules"][0]["level"], "high");
  EXPECT_EQ(report["rules"][0]["matched"][0], json({{"field", "query"}, {"value", "evil.test"}}));

  EXPECT_EQ(match_text("a\nb", {}), "a\\x0ab: no rule matches\n");
  EXPECT_EQ(json::parse(match_json("x", {}))["rules"], json::array());
}

}  // namespace
}  // namespace nslookout::cli
