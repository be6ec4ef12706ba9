// compile/blocking.h: which rules can block, which do, and that the tables block those and no others.
#include <gtest/gtest.h>

#include "base/dns_name.h"
#include "compile/plan.h"
#include "tests/unit/sigma_rule_text.h"

namespace nslookout::compile {
namespace {

std::string rule_text(const std::string& detection, const std::string& level = "high") {
  return "title: A rule\nid: 0c1d9d3e-6f2a-4f35-9d1f-2a4e7c1b0a01\nlevel: " + level +
         "\nlogsource: {category: dns}\ndetection:\n" + detection;
}

Plan plan_of(const std::string& text) {
  auto set = sigma::parse_rules(text, "rule.yml", {});
  EXPECT_EQ(set.rules.size(), 1U) << text;
  return make_plan(std::move(set.rules), {});
}

std::string reason(const std::string& detection) {
  const Plan plan = plan_of(rule_text(detection));
  return why_not_blockable(plan.rules().at(0), plan.rule_plans().at(0));
}

TEST(Blocking, WhatTheKernelDecidesExactly) {
  const char* possible[] = {
      "  s: {query: a.test}\n  condition: s\n",
      "  s: {query: [a.test, b.test]}\n  condition: s\n",
      "  s: {'query|endswith': .a.test}\n  condition: s\n",
      "  s: {query: a.test}\n  t: {'query|endswith': .a.test}\n  condition: 1 of them\n",
      "  s: {query: '*.a.test'}\n  condition: s\n",
  };
  for (const char* detection : possible) EXPECT_EQ(reason(detection), "") << detection;
}

TEST(Blocking, WhatItCannotAndWhy) {
  const struct {
    const char* detection;
    const char* reason;  // a part of it
  } rows[] = {
      {"  s: {'query|contains': a.test}\n  condition: s\n", "only narrow down"},
      {"  s: {'query|endswith': a.test}\n  condition: s\n", "only narrow down"},
      {"  s: {'query|re': '^a\\.test$'}\n  condition: s\n", "only narrow down"},
      {"  s: {'query|cased': A.test}\n  condition: s\n", "only narrow down"},
      {"  s: {query: a.test}\n  f: {query: b.test}\n  condition: s and not f\n", "only narrow down"},
      {"  s: {query: a.test, record_type: A}\n  condition: s\n",
       "rule.yml:6:22: the kernel cannot decide 'record_type'"},
      {"  s: {query: a.test, 'Image|endswith': /curl}\n  condition: s\n", "the kernel cannot decide 'Image|endswith'"},
      {"  s: {query: a.test}\n  r: {answer: 1.2.3.4}\n  condition: s or r\n", "the kernel cannot decide 'answer'"},
      {"  s: {query: a.b.c.d.e.f.g.h.test}\n  condition: s\n", "more than the 8 labels"},
      {"  s: {query: 'no name at all '}\n  condition: s\n", "no lookup can make it true"},
  };
  for (const auto& row : rows) {
    EXPECT_NE(reason(row.detection).find(row.reason), std::string::npos)
        << row.detection << ": " << reason(row.detection);
  }
}

TEST(Blocking, LevelsAndNames) {
  using Kind = BlockDecision::Kind;
  const std::string exact = "  s: {query: a.test}\n  condition: s\n";
  const std::string loose = "  s: {'query|contains': a.test}\n  condition: s\n";
  const std::string id = "0c1d9d3e-6f2a-4f35-9d1f-2a4e7c1b0a01";
  const struct {
    std::string detection, level;
    BlockPolicy policy;
    Kind kind;
  } rows[] = {
      {exact, "high", {}, Kind::blocks},
      {exact, "critical", {}, Kind::blocks},
      {exact, "medium", {}, Kind::not_asked},
      {exact, "medium", {.level = "medium"}, Kind::blocks},
      {exact, "critical", {.level = "none"}, Kind::not_asked},
      {exact, "low", {.level = "none", .rules = {id}}, Kind::blocks},
      {loose, "high", {}, Kind::refused},
      {loose, "low", {}, Kind::not_asked},
      {loose, "low", {.rules = {id}}, Kind::refused},
  };
  for (const auto& row : rows) {
    const Plan plan = plan_of(rule_text(row.detection, row.level));
    const auto decision = decide_rule(row.policy, plan.rules().at(0), plan.rule_plans().at(0));
    EXPECT_EQ(decision.kind, row.kind) << row.level << " at " << row.policy.level << "\n" << row.detection;
  }
}

lists::NameList list_of(const std::string& id, std::initializer_list<const char*> exact,
                        std::initializer_list<const char*> allowed, const std::string& level = "high") {
  lists::NameList list;
  list.id = "list/" + id;
  list.level = level;
  for (const char* name : exact) list.table.add(*presentation_to_wire(name), true, true);
  for (const char* name : allowed) list.table.allow(*presentation_to_wire(name), true, true);
  return list;
}

TEST(Blocking, TheTablesBlockWhatWasDecided) {
  auto set = sigma::parse_rules(rule_text("  s: {query: [a.test, free.b.test]}\n  condition: s\n"), "rule.yml", {});
  std::vector<lists::NameList> lists;
  lists.push_back(list_of("bad", {"b.test"}, {"free.b.test"}));
  lists.push_back(list_of("quiet", {"c.test"}, {}, "low"));
  Plan plan = make_plan(std::move(set.rules), std::move(lists));
  const auto blocked = [](const Plan& of, const char* name) {
    return build_kernel_tables(of.predicates(), Seeds{1, 2}).blocks_name(*presentation_to_wire(name));
  };
  EXPECT_FALSE(blocked(plan, "a.test")) << "nothing was decided yet";
  std::vector<lists::NameList> allowed;
  allowed.push_back(list_of("allow", {"ok.b.test", "one.two.three.four.five.six.seven.b.test"}, {}));
  plan.set_blocking({}, std::move(allowed), false);
  const struct {
    const char* name;
    bool blocked;
  } rows[] = {{"a.test", true},      {"A.TEST", true},       {"x.a.test", false},
              {"b.test", true},      {"x.b.test", true},     {"free.b.test", false},
              {"ok.b.test", false},  {"x.ok.b.test", false}, {"c.test", false},
              {"other.test", false}, {"test", false},        {"one.two.three.four.five.six.seven.b.test", false}};
  for (const auto& row : rows) EXPECT_EQ(blocked(plan, row.name), row.blocked) << row.name;
  plan.set_blocking({.lists = {"quiet"}}, {}, false);
  EXPECT_TRUE(blocked(plan, "c.test"));
  EXPECT_FALSE(blocked(plan, "free.b.test")) << "an exception of any list is one of all";
  plan.set_blocking({.level = "none"}, {}, true);
  EXPECT_TRUE(blocked(plan, "other.test"));
}

TEST(Blocking, NamesOfListsThatAreTooDeepForTheTableAreCounted) {
  const lists::NameList list =
      list_of("deep", {"a.test", "a.b.c.d.e.f.g.h", "1.2.3.4.5.6.7.8.9", "2.2.3.4.5.6.7.8.9"}, {"a.b.c.d.e.f.g.h.i"});
  const DeepNames deep = deep_names(list);
  EXPECT_EQ(deep.listed, 2U);
  EXPECT_EQ(deep.first_listed, "1.2.3.4.5.6.7.8.9");
  EXPECT_EQ(deep.excepted, 1U);
  EXPECT_EQ(deep.first_excepted, "a.b.c.d.e.f.g.h.i");
  EXPECT_EQ(deep_names(list_of("flat", {"a.b.c.d.e.f.g.h"}, {})).listed, 0U);
}

}  // namespace
}  // namespace nslookout::compile
