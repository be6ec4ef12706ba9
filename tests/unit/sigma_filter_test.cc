// sigma/filter.h and sigma/collection.h: documents that change other documents.
#include "sigma/filter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compile/plan.h"
#include "match/verifier.h"
#include "sigma_rule_text.h"

namespace nslookout::sigma {
namespace {

// The titles of the rules that match a name, in their order.
std::string matching(const std::string& text, const std::string& name, const std::string& image = "") {
  RuleSet set = parse_rules(text, "t.yml");
  EXPECT_EQ(set.error_count(), 0u) << (set.findings.empty() ? "" : set.findings.front().text()) << text;
  const compile::Plan plan = compile::make_plan(std::move(set.rules), {});
  const match::Verifier verifier(plan);
  match::Query query = match::Query::of_name(name).value();
  if (!image.empty()) query.set(Field::image, image);
  std::string titles;
  for (const match::Hit& hit : verifier.matches(query))
    titles += (titles.empty() ? "" : " ") + std::string(hit.title());
  return titles;
}

std::string rule(const std::string& head, const std::string& source = "category: dns") {
  return head + "\nlogsource: {" + source + "}\ndetection:\n  selection:\n    query|endswith: .test\n" +
         "  condition: selection\n---\n";
}

std::string filter(const std::string& body, const std::string& source = "category: dns") {
  return "title: filter\nlogsource: {" + source + "}\nfilter:\n" + body + "---\n";
}

TEST(SigmaFilter, AppliesToTheRulesItNamesWithinItsLogSource) {
  const std::string rules =
      rule("title: one\nid: id-1") + rule("title: two\nname: name-2", "category: dns, product: linux");
  const std::string body = "  selection: {query: good.test}\n  condition: not selection\n";
  const struct {
    std::string filter;
    const char* on_good;
  } cases[] = {
      {filter("  rules: any\n" + body), ""},
      {filter("  rules: [id-1]\n" + body), "two"},
      {filter("  rules: id-1\n" + body), "two"},
      {filter("  rules: [name-2, nobody]\n" + body), "one"},
      {filter("  rules: [id-1, name-2]\n" + body), ""},
      {filter("  rules: [nobody]\n" + body), "one two"},
      {filter("  rules: any\n" + body, "category: dns, product: linux"), "one"},
      {filter("  rules: any\n" + body, "category: dns_query"), "one two"},
      {filter("  rules: [id-1]\n" + body) + filter("  rules: [name-2]\n" + body), ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(matching(c.filter + rules, "good.test"), c.on_good) << c.filter;
    EXPECT_EQ(matching(rules + c.filter, "good.test"), c.on_good) << c.filter;
    EXPECT_EQ(matching(rules + c.filter, "evil.test"), "one two") << c.filter;
  }
}

TEST(SigmaFilter, ItsSelectionsAreApartFromThoseOfTheRule) {
  const std::string text =
      rule("title: one") + filter(
                               "  rules: any\n  selection_a: {query: a.test}\n  selection_b: {query: b.test}\n"
                               "  condition: not 1 of selection_*\n");
  EXPECT_EQ(matching(text, "a.test"), "");
  EXPECT_EQ(matching(text, "b.test"), "");
  EXPECT_EQ(matching(text, "c.test"), "one");
  EXPECT_EQ(matching(rule("title: one") + filter("  rules: any\n  s: {query: a.test}\n  condition: not 1 of them\n"),
                     "a.test"),
            "");
}

TEST(SigmaFilter, ARuleStaysInTheKernel) {
  const RuleSet set = parse_rules(
      rule("title: one") + filter("  rules: any\n  s: {Image|endswith: /curl}\n  condition: not s\n"), "t.yml");
  const compile::Plan plan = compile::make_plan(set.rules, {});
  EXPECT_FALSE(plan.every_query());
  EXPECT_FALSE(plan.rule_plans().at(0).kernel_decides);
}

TEST(SigmaFilter, Warnings) {
  const auto warnings = [](const std::string& text) {
    std::string out;
    for (const Finding& finding : parse_rules(text, "t.yml").findings) {
      EXPECT_EQ(finding.kind, FindingKind::warning) << finding.text();
      out += finding.what + "\n";
    }
    return out;
  };
  const std::string restricting = filter("  rules: any\n  s: {query: a.test}\n  condition: s\n");
  EXPECT_NE(warnings(rule("title: one") + restricting).find("has no 'not'"), std::string::npos);
  EXPECT_EQ(matching(rule("title: one") + restricting, "b.test"), "");
  EXPECT_NE(warnings(rule("title: one") + filter("  rules: [x]\n  s: {query: a.test}\n  condition: not s\n"))
                .find("applies to none"),
            std::string::npos);
  EXPECT_EQ(warnings(rule("title: one") + filter("  rules: any\n  s: {query|neq: a.test}\n  condition: s\n")), "");
}

TEST(SigmaFilter, ANameThatNamesNothingIsTold) {
  const RuleSet set =
      parse_rules(rule("title: one\nname: named\nid: some-id") +
                      filter("  rules: [named, some-id, typo]\n  s: {query: a.test}\n  condition: not s\n"),
                  "t.yml");
  ASSERT_EQ(set.findings.size(), 1u);
  EXPECT_EQ(set.findings[0].kind, FindingKind::warning);
  EXPECT_NE(set.findings[0].what.find("'typo' is no id or name of a rule"), std::string::npos);
  EXPECT_EQ(set.findings[0].place.column, 27);
}

TEST(SigmaCollection, GlobalResetAndRepeat) {
  const std::string global =
      "action: global\ntitle: g\nlogsource: {category: dns}\ndetection:\n  f: {Image: /bin/good}\n"
      "  condition: s and not f\n---\n";
  const std::string one = "title: own\ndetection:\n  s: {query: one.test}\n---\n";
  const std::string two = "detection:\n  s: {query: two.test}\n---\n";
  EXPECT_EQ(matching(global + one + two, "one.test"), "g");  // the global document counts where both have a key
  EXPECT_EQ(matching(global + one + two, "two.test"), "g");
  EXPECT_EQ(matching(global + one + two, "two.test", "/bin/good"), "");
  EXPECT_EQ(matching(global + one + "action: reset\n---\n" + rule("title: plain"), "x.test"), "plain");
  EXPECT_EQ(
      matching(rule("title: first") + "action: repeat\ntitle: again\ndetection: {selection: {query: y}}\n", "x.test"),
      "first");
  const std::string repeated =
      rule("title: first") + "action: repeat\ntitle: again\ndetection:\n  selection:\n    User: x\n";
  const RuleSet set = parse_rules(repeated, "t.yml");
  ASSERT_EQ(set.rules.size(), 2u);
  EXPECT_EQ(set.rules[1].title, "again");
  EXPECT_EQ(set.rules[1].tests.size(), 2u);
  EXPECT_EQ(set.rules[1].document, 2u);
}

TEST(SigmaCollection, WhatActionsWriteOutIsBounded) {
  std::string text =
      "action: global\ntitle: g\nlogsource: {category: dns}\ndetection:\n  condition: s\n  s:\n    query:\n";
  for (int i = 0; i < 20'000; ++i) text += "      - a\n";
  for (int i = 0; i < 2'000; ++i) text += "---\nx: 1\n";
  const RuleSet set = parse_rules(text, "t.yml");
  EXPECT_LT(set.rules.size(), 300u);
  ASSERT_FALSE(set.findings.empty());
  EXPECT_NE(set.findings.back().what.find("write out more than"), std::string::npos);
}

}  // namespace
}  // namespace nslookout::sigma
