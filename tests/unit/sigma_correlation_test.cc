// sigma/correlation.h and match/correlator.h: what is read, what is refused, and when a correlation fires.
#include "sigma/correlation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "compile/plan.h"
#include "match/correlator.h"
#include "match/verifier.h"
#include "sigma_rule_text.h"

namespace nslookout::sigma {
namespace {

const std::string base_rules = "name: one\n" + rule_with_test("query|endswith: .one.test") + "---\nname: two\n" +
                               rule_with_test("query|endswith: .two.test") + "---\n";

std::string correlation(const std::string& body) { return "title: c\nname: c\ncorrelation:\n" + body; }

TEST(SigmaCorrelation, RefusalsSayWhy) {
  const std::string count = "  type: event_count\n  rules: [one]\n  timespan: 1m\n";
  const struct {
    std::string body;
    const char* words;
  } cases[] = {
      {"  rules: [one]\n  timespan: 1m\n  condition: {gte: 2}\n", "no type"},
      {"  type: guess\n  rules: [one]\n  timespan: 1m\n  condition: {gte: 2}\n", "no type of correlation"},
      {"  type: event_count\n  timespan: 1m\n  condition: {gte: 2}\n", "names no rules"},
      {"  type: event_count\n  rules: [nobody]\n  timespan: 1m\n  condition: {gte: 2}\n", "id or name 'nobody'"},
      {"  type: event_count\n  rules: [c]\n  timespan: 1m\n  condition: {gte: 2}\n", "refers to itself"},
      {"  type: event_count\n  rules: [one]\n  condition: {gte: 2}\n", "no timespan"},
      {"  type: event_count\n  rules: [one]\n  timespan: 1h30m\n  condition: {gte: 2}\n", "is no timespan"},
      {"  type: event_count\n  rules: [one]\n  timespan: 0s\n  condition: {gte: 2}\n", "is no timespan"},
      {"  type: event_count\n  rules: [one]\n  timespan: 9999999999999d\n  condition: {gte: 2}\n", "is no timespan"},
      {count, "no condition"},
      {count + "  condition: {}\n", "compares with nothing"},
      {count + "  condition: {gte: x}\n", "needs a number"},
      {count + "  condition: {atleast: 2}\n", "no part of a condition"},
      {count + "  condition: one and two\n", "must be a map"},
      {count + "  condition: {gte: 2, field: User}\n", "looks at no field"},
      {count + "  condition: {gte: 2}\n  generate: maybe\n", "true or false"},
      {count + "  condition: {gte: 2}\n  within: 3\n", "no key of a correlation"},
      {count + "  condition: {gte: 2}\n  aliases: {a: {two: User}}\n", "none of the rules"},
      {"  type: value_count\n  rules: [one]\n  timespan: 1m\n  condition: {gte: 2}\n", "needs the field"},
      {"  type: value_sum\n  rules: [one]\n  timespan: 1m\n  condition: {gte: 2, field: [a, b]}\n", "several fields"},
      {"  type: value_percentile\n  rules: [one]\n  timespan: 1m\n  condition: {gte: 2, field: a}\n", "percentile"},
      {"  type: value_percentile\n  rules: [one]\n  timespan: 1m\n  condition: {gte: 2, field: a, percentile: 101}\n",
       "from 0 to 100"},
      {"  type: temporal\n  rules: {one: two}\n  timespan: 1m\n", "must be a text or a list"},
  };
  for (const auto& c : cases) {
    const RuleSet set = parse_rules(base_rules + correlation(c.body), "t.yml");
    EXPECT_TRUE(set.correlations.empty()) << c.body;
    ASSERT_EQ(set.error_count(), 1u) << c.body;
    EXPECT_NE(set.findings.back().what.find(c.words), std::string::npos) << set.findings.back().text() << "\n"
                                                                         << c.body;
    EXPECT_EQ(set.findings.back().document, 3u);
    EXPECT_TRUE(set.rules.at(0).alerts) << "a rule must not fall silent for a correlation that is refused\n" << c.body;
  }
}

TEST(SigmaCorrelation, ACycleIsRefusedWhole) {
  const RuleSet set =
      parse_rules(base_rules +
                      "title: a\nname: a\ncorrelation: {type: temporal, rules: [one, b], timespan: 1m}\n---\n"
                      "title: b\nname: b\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n",
                  "t.yml");
  EXPECT_TRUE(set.correlations.empty());
  EXPECT_EQ(set.error_count(), 2u);
}

TEST(SigmaCorrelation, OneThatCannotFireSaysSo) {
  const std::string head = "  rules: [one]\n  timespan: 1m\n";
  const struct {
    std::string body;
    const char* words;  // none: it can
    bool alerts = false;
  } cases[] = {
      {head + "  type: event_count\n  condition: {gte: 2}\n  group-by: [ComputerName]\n", "no field 'ComputerName'"},
      {head + "  type: value_count\n  condition: {gte: 2, field: bytes}\n", "no field 'bytes'"},
      {head + "  type: event_count\n  condition: {gte: 10001}\n", "more than the 10000", true},
      {head + "  type: event_count\n  condition: {gt: 10000}\n", "more than the 10000", true},
      {head + "  type: temporal\n  condition: {gte: 2}\n", "more than the 1 ", true},
      {head + "  type: event_count\n  condition: {gte: 10000}\n  group-by: [query]\n", nullptr},
      {head + "  type: event_count\n  condition: {lte: 20000}\n", nullptr},
      {head + "  type: value_sum\n  condition: {gte: 20000, field: query_length}\n", nullptr},
  };
  for (const auto& c : cases) {
    const RuleSet set = parse_rules(base_rules + correlation(c.body), "t.yml");
    ASSERT_EQ(set.correlations.size(), 1U) << c.body;
    EXPECT_EQ(set.error_count(), 0U) << c.body;
    EXPECT_EQ(set.correlations[0].never.find(c.words == nullptr ? "x" : c.words) != std::string::npos,
              c.words != nullptr)
        << set.correlations[0].never << "\n"
        << c.body;
    EXPECT_EQ(set.findings.empty(), c.words == nullptr) << c.body;
    EXPECT_EQ(set.rules.at(0).alerts, c.alerts) << c.body;
  }
}

TEST(SigmaCorrelation, AConditionThatNothingFulfils) {
  const std::string one = "  rules: [one]\n  timespan: 1m\n  type: event_count\n  condition: ";
  const std::string sum = "  rules: [one]\n  timespan: 1m\n  type: value_sum\n  condition: ";
  const std::string ordered = "  rules: [one, two]\n  timespan: 1m\n  type: temporal_ordered\n  condition: ";
  const struct {
    std::string body;
    bool fires;
  } cases[] = {
      {one + "{lt: 1}", false},
      {one + "{lte: 0.5}", false},
      {one + "{gt: 10, lt: 5}", false},
      {one + "{gt: 4, lt: 5}", false},
      {one + "{eq: 0}", false},
      {one + "{eq: 1.5}", false},
      {one + "{lte: 1, neq: 1}", false},
      {one + "{lt: 2}", true},
      {one + "{gt: 4, lte: 5}", true},
      {one + "{gt: 4.5, lt: 5.5}", true},
      {one + "{eq: 1}", true},
      {one + "{neq: 1}", true},
      {one + "{gte: 0}", true},
      {ordered + "{lt: 1}", true},
      {ordered + "{lt: 0}", false},
      {sum + "{lt: -5, field: ProcessId}", true},
      {sum + "{gt: 4, lt: 5, field: ProcessId}", true},
      {sum + "{gt: 5, lte: 5, field: ProcessId}", false},
      {sum + "{gte: 5, lte: 5, field: ProcessId}", true},
      {sum + "{gte: 5, lte: 5, neq: 5, field: ProcessId}", false},
      {sum + "{gt: 6, lt: 5, field: ProcessId}", false},
  };
  for (const auto& c : cases) {
    const RuleSet set = parse_rules(base_rules + correlation(c.body + "\n"), "t.yml");
    ASSERT_EQ(set.correlations.size(), 1U) << c.body;
    EXPECT_EQ(set.correlations[0].never.empty(), c.fires) << c.body << set.correlations[0].never;
    EXPECT_EQ(set.findings.empty(), c.fires) << c.body;
    EXPECT_EQ(set.rules.at(0).alerts, !c.fires) << c.body;
  }
}

TEST(SigmaCorrelation, ItsRulesNeverFire) {
  const std::string never =
      "title: t\nname: gone\nlogsource: {category: dns}\ndetection: {s: {Hashes: x}, condition: s}\n---\n";
  const struct {
    std::string body;
    const char* words;  // none: it fires
  } cases[] = {
      {"  type: temporal\n  rules: [one, gone]\n", "'gone'"},
      {"  type: temporal\n  rules: [one, gone]\n  condition: {gte: 1}\n", nullptr},
      {"  type: temporal_ordered\n  rules: [gone, one]\n  condition: {gte: 1}\n", "'gone'"},
      {"  type: temporal_ordered\n  rules: [one, gone]\n  condition: {gte: 1}\n", nullptr},
      {"  type: event_count\n  rules: [one, gone]\n  condition: {gte: 5}\n", nullptr},
      {"  type: event_count\n  rules: [gone]\n  condition: {gte: 5}\n", "any of its rules"},
  };
  for (const auto& c : cases) {
    RuleSet set = parse_rules(never + base_rules + correlation(c.body + "  timespan: 1m\n"), "t.yml");
    ASSERT_EQ(set.correlations.size(), 1U) << c.body;
    const compile::Plan plan = compile::make_plan(set.rules, {}, set.correlations);
    const std::string& why = plan.correlations()[0].never;
    EXPECT_EQ(why.empty(), c.words == nullptr) << c.body << why;
    if (c.words != nullptr) {
      EXPECT_NE(why.find(c.words), std::string::npos) << why;
    }
    EXPECT_EQ(plan.warnings().empty(), c.words == nullptr);
    const bool counts_one = c.body.find("one") != std::string::npos;
    EXPECT_EQ(plan.rules()[1].alerts, !counts_one || c.words != nullptr) << c.body;
  }
}

TEST(SigmaCorrelation, OneThatCountsAnotherWithoutReachHasNone) {
  const RuleSet set =
      parse_rules(base_rules +
                      "title: inner\nname: inner\ncorrelation: {type: event_count, rules: [one], timespan: 1m, "
                      "condition: {lt: 1}}\n"
                      "---\ntitle: outer\ncorrelation: {type: temporal, rules: [inner, two], timespan: 1m}\n",
                  "t.yml");
  ASSERT_EQ(set.correlations.size(), 2U);
  EXPECT_FALSE(set.correlations[1].never.empty());
  EXPECT_TRUE(set.rules.at(0).alerts);
  EXPECT_TRUE(set.rules.at(1).alerts);
}

TEST(SigmaCorrelation, AChainIsBoundedHoweverItIsWritten) {
  const auto chain = [](int links, bool inner_first) {
    std::vector<std::string> documents;
    for (int i = 1; i <= links; ++i) {
      documents.push_back("title: t\nname: c" + std::to_string(i) + "\ncorrelation: {type: event_count, rules: [" +
                          (i == 1 ? "one" : "c" + std::to_string(i - 1)) + "], timespan: 1m, condition: {gte: 1}}\n");
    }
    if (!inner_first) std::ranges::reverse(documents);
    std::string text = base_rules;
    for (const std::string& document : documents) text += document + "---\n";
    return parse_rules(text, "t.yml");
  };
  for (const bool inner_first : {false, true}) {
    EXPECT_EQ(chain(100, inner_first).correlations.size(), 100U);
    const RuleSet set = chain(20'000, inner_first);
    EXPECT_EQ(set.correlations.size(), 100U);
    EXPECT_EQ(set.error_count(), 19'900U);
    const Finding& first = set.findings.front();
    EXPECT_NE(first.what.find("over more than 100 levels"), std::string::npos) << first.text();
    EXPECT_GT(first.place.line, 0);
  }
}

TEST(SigmaCorrelation, AnAliasNamesARuleByItsIdOrItsName) {
  const std::string with_id =
      "title: t\nid: an-id\nname: a-name\nlogsource: {category: dns}\n"
      "detection: {s: {query: a.test}, condition: s}\n---\n";
  for (const char* source : {"an-id", "a-name"}) {
    for (const char* alias : {"an-id", "a-name"}) {
      const RuleSet set = parse_rules(with_id + correlation("  type: event_count\n  rules: [" + std::string(source) +
                                                            "]\n  group-by: [who]\n  aliases: {who: {" + alias +
                                                            ": Image}}\n  timespan: 1m\n  condition: {gte: 2}\n"),
                                      "t.yml");
      ASSERT_EQ(set.correlations.size(), 1U) << source << " " << alias;
      EXPECT_EQ(set.correlations[0].sources[0].group_by[0].field, Field::image);
    }
  }
}

TEST(SigmaCorrelation, ARuleWithoutANameIsNotNamedByNothing) {
  const RuleSet set =
      parse_rules(rule_with_test("query: a.test") + "---\n" +
                      correlation("  type: event_count\n  rules: ['']\n  timespan: 1m\n  condition: {gte: 2}\n"),
                  "t.yml");
  EXPECT_TRUE(set.correlations.empty());
  EXPECT_EQ(set.error_count(), 1U);
  EXPECT_TRUE(set.rules.at(0).alerts);
}

struct Event {
  int second;
  const char* name;
  std::vector<std::pair<const char*, const char*>> fields = {};
};

// The titles of the hits at each event, "-" for none, joined by blanks.
std::string fired(const std::string& text, const std::vector<Event>& events, match::Correlator::Limits limits = {},
                  match::Correlator::Evictions* evictions = nullptr) {
  RuleSet set = parse_rules(text, "t.yml");
  EXPECT_EQ(set.error_count(), 0u) << set.findings.front().text() << text;
  const compile::Plan plan = compile::make_plan(set.rules, {}, set.correlations);
  const match::Verifier verifier(plan);
  match::Correlator correlator(plan, limits);
  std::string out;
  for (const Event& event : events) {
    match::Query query = match::Query::of_name(event.name).value();
    for (const auto& [field, value] : event.fields) query.set_named(field, value);
    std::vector<match::Hit> hits = verifier.matches(query);
    correlator.apply(hits, query, std::chrono::seconds(event.second));
    std::string titles;
    for (const match::Hit& hit : hits) titles += (titles.empty() ? "" : "+") + std::string(hit.title());
    out += (out.empty() ? "" : " ") + (titles.empty() ? "-" : titles);
  }
  if (evictions != nullptr) *evictions = correlator.evictions();
  return out;
}

TEST(Correlator, CountsEventsInASlidingWindow) {
  const std::string text =
      base_rules + correlation("  type: event_count\n  rules: [one]\n  timespan: 10s\n  condition: {gte: 3}\n");
  const char* one = "a.one.test";
  EXPECT_EQ(fired(text, {{0, one}, {5, one}, {10, one}, {11, one}, {25, one}}), "- - c - -");
  EXPECT_EQ(fired(text, {{0, one}, {5, one}, {11, one}, {12, one}}), "- - - c");
  EXPECT_EQ(fired(text, {{0, one}, {1, "a.two.test"}, {2, one}, {3, "x.test"}, {4, one}}), "- t - - c");
  EXPECT_EQ(fired(text, {{5, one}, {0, one}, {0, one}}), "- - c");  // time does not run backwards
}

TEST(Correlator, GroupsAndAliases) {
  const std::string text = base_rules + correlation(
                                            "  type: temporal\n  rules: [one, two]\n  timespan: 10s\n"
                                            "  group-by: [who]\n"
                                            "  aliases: {who: {one: User, two: Owner}}\n");
  EXPECT_EQ(fired(text, {{0, "a.one.test", {{"User", "root"}}}, {1, "a.two.test", {{"Owner", "ROOT"}}}}), "- c");
  EXPECT_EQ(fired(text, {{0, "a.one.test", {{"User", "root"}}}, {1, "a.two.test", {{"Owner", "dev"}}}}), "- -");
  EXPECT_EQ(fired(text, {{0, "a.one.test"}, {1, "a.two.test"}}), "- -");
}

TEST(Correlator, GenerateKeepsTheAlertsOfTheRules) {
  const std::string body = "  type: event_count\n  rules: [one]\n  timespan: 10s\n  condition: {gte: 2}\n";
  const std::vector<Event> events = {{0, "a.one.test"}, {1, "a.one.test"}};
  EXPECT_EQ(fired(base_rules + correlation(body), events), "- c");
  EXPECT_EQ(fired(base_rules + correlation(body + "  generate: true\n"), events), "t t+c");
}

TEST(Correlator, TheOrderOfRules) {
  const std::string text = base_rules + correlation("  type: temporal_ordered\n  rules: [one, two]\n  timespan: 10s\n");
  EXPECT_EQ(fired(text, {{0, "a.one.test"}, {1, "a.two.test"}}), "- c");
  EXPECT_EQ(fired(text, {{0, "a.two.test"}, {1, "a.one.test"}}), "- -");
  EXPECT_EQ(fired(text, {{0, "a.two.test"}, {1, "a.one.test"}, {11, "a.two.test"}, {12, "a.two.test"}}), "- - c -");
}

TEST(Correlator, CountsSumsAndPercentilesOfValues) {
  const auto of = [](const std::string& type, const std::string& condition) {
    return base_rules +
           correlation("  type: " + type + "\n  rules: [one]\n  timespan: 1m\n  condition: " + condition + "\n");
  };
  const std::vector<Event> events = {{0, "a.one.test", {{"ProcessId", "10"}, {"User", "a"}}},
                                     {1, "a.one.test", {{"ProcessId", "20"}, {"User", "A"}}},
                                     {2, "a.one.test", {{"User", "b"}}},
                                     {3, "b.one.test", {{"ProcessId", "90"}, {"User", "b"}}}};
  EXPECT_EQ(fired(of("value_count", "{gte: 2, field: query}"), events), "- - - c");
  EXPECT_EQ(fired(of("value_count", "{gte: 2, field: User}"), events), "- - c -");
  EXPECT_EQ(fired(of("value_count", "{gte: 3, field: [User, ProcessId]}"), events), "- - - c");
  EXPECT_EQ(fired(of("value_sum", "{gt: 29, field: ProcessId}"), events), "- c - -");
  EXPECT_EQ(fired(of("value_avg", "{gte: 40, field: ProcessId}"), events), "- - - c");
  EXPECT_EQ(fired(of("value_percentile", "{gt: 15, field: ProcessId, percentile: 50}"), events), "- - - c");
  EXPECT_EQ(fired(of("event_count", "{gt: 1, lte: 3}"), events), "- c - -");
}

TEST(Correlator, ACorrelationOfCorrelations) {
  const std::string text = "title: outer\ncorrelation: {type: temporal, rules: [c, two], timespan: 1m}\n---\n" +
                           base_rules +
                           correlation("  type: event_count\n  rules: [one]\n  timespan: 10s\n  condition: {gte: 2}\n");
  EXPECT_EQ(fired(text, {{0, "a.two.test"}, {1, "a.one.test"}, {2, "a.one.test"}}), "- - outer");
}

TEST(Correlator, MemoryIsBoundedAndWhatIsLostIsCounted) {
  const std::string text = base_rules + correlation(
                                            "  type: event_count\n  rules: [one]\n  timespan: 1h\n"
                                            "  group-by: [query]\n  condition: {gte: 3}\n");
  match::Correlator::Evictions evictions;
  const std::vector<Event> groups = {{0, "a.one.test"}, {1, "b.one.test"}, {2, "a.one.test"}, {3, "c.one.test"},
                                     {4, "a.one.test"}, {5, "b.one.test"}, {6, "b.one.test"}};
  EXPECT_EQ(fired(text, groups, {2, 100}, &evictions), "- - - - c - -");
  EXPECT_EQ(evictions.groups, 2u);
  EXPECT_EQ(evictions.entries, 0u);
  const std::vector<Event> entries = {{0, "a.one.test"}, {1, "a.one.test"}, {2, "a.one.test"}};
  EXPECT_EQ(fired(text, entries, {2, 2}, &evictions), "- - -");
  EXPECT_EQ(evictions.entries, 1u);
}

TEST(Correlator, WhatAProcessChoosesIsBoundedInOctets) {
  const std::string text = base_rules + correlation(
                                            "  type: value_count\n  rules: [one]\n  timespan: 10m\n  group-by: [User]\n"
                                            "  condition: {gte: 100, field: query}\n");
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) names.push_back(std::string(60, 'x') + "." + std::to_string(i) + ".one.test");
  std::vector<Event> events;
  for (int i = 0; i < 300; ++i)
    events.push_back({i, names[static_cast<std::size_t>(i)].c_str(), {{"User", i % 2 == 0 ? "a" : "b"}}});
  match::Correlator::Evictions evictions;
  match::Correlator::Limits limits;
  limits.max_octets = 20'000;
  const std::string titles = fired(text, events, limits, &evictions);
  EXPECT_EQ(titles.find('c'), std::string::npos) << "no group can hold a hundred";
  EXPECT_GT(evictions.groups, 0U);
  limits.max_octets = 1U << 20;
  EXPECT_NE(fired(text, events, limits, &evictions).find('c'), std::string::npos);
  EXPECT_EQ(evictions.groups + evictions.entries, 0U);
}

}  // namespace
}  // namespace nslookout::sigma
