// compile/plan.h and compile/witness.h: what the kernel is given for a rule, and what is said about it.
#include "compile/plan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/dns_name.h"
#include "base/record_type.h"
#include "lists/plain.h"
#include "sigma_rule_text.h"

namespace nslookout::compile {
namespace {

using sigma::rule_with_detection;
using sigma::rule_with_test;
using sigma::rules_of;

std::string notation(bool exact, bool below, std::string_view wire) {
  return (exact ? std::string("=") : std::string()) + (below ? "<" : "") + wire_to_presentation(wire);
}

// "=name" exact, "<name" below, in the order of the wire forms; "every" or "never" instead.
std::string shown(const RulePlan& plan) {
  if (plan.reach == Reach::every_query) return "every";
  if (plan.reach == Reach::never) return "never";
  std::string out;
  for (const Witness& witness : plan.witnesses) {
    out += (out.empty() ? "" : " ") + notation(witness.exact, witness.below, witness.wire);
  }
  for (const NameText& text : plan.texts) {
    out += (out.empty() ? "" : " ") + std::string(text.at_start ? "^" : "~") + text.text + (text.at_end ? "$" : "");
  }
  for (const std::uint16_t type : plan.record_types) out += (out.empty() ? "" : " ") + record_type_name(type);
  if (!plan.flags.empty()) out += fmt::format("{}+{:x}-{:x}", out.empty() ? "" : " ", plan.flags.set, plan.flags.clear);
  return out;
}

RulePlan plan_of(const std::string& text) {
  // The findings are of no interest: some of these rules warn.
  const Plan plan = make_plan(sigma::parse_rules(text, "t.yml").rules, {});
  EXPECT_EQ(plan.rule_plans().size(), 1u) << text;
  return plan.rule_plans().at(0);
}

TEST(Plan, WitnessesOfOneTest) {
  const std::string long_label(64, 'x');
  const struct {
    std::string test;
    std::string witnesses;
    bool kernel_decides;
  } cases[] = {
      {"query: evil.test", "=evil.test", true},
      {"query: EVIL.Test.", "=evil.test", true},
      {"query: [b.test, a.test, B.TEST]", "=a.test =b.test", true},
      {"query|endswith: .evil.test", "<evil.test", true},
      {"query|endswith: .Evil.Test.", "<evil.test", true},
      {"query: '*.evil.test'", "<evil.test", true},
      {"query: ['*.evil.test', evil.test]", "=<evil.test", true},
      {"query|endswith: evil.test", "~evil.test$", false},
      {"query: a?.evil.test", "<evil.test", false},
      {"query: 'a*b.evil.test'", "<evil.test", false},
      {"query|cased: Evil.test", "=evil.test", false},
      {"query|endswith: test", "~test$", false},
      {"query|endswith: .test", "<test", true},
      {"query: foo*.test", "^foo", false},
      {"query|contains: evil", "~evil", false},
      {"query|contains: EviL", "~evil", false},
      {"query: '*a*longer*b'", "~longer", false},
      {"query|contains: .evil.test.", "~.evil.test.", false},
      {"query|contains: .", "every", false},
      {"query|startswith: evil.", "^evil.", false},
      {"query: 'evil.*'", "^evil.", false},
      {"query: '*'", "every", false},
      {"query: ['evil.test', '*x*']", "=evil.test ~x", false},
      {"query|endswith|all: [.evil.test, .test]", "<evil.test", false},
      {"query|contains|all: [x, yy]", "~yy", false},
      {"query|neq: evil.test", "every", false},
      {"query: .", "every", false},
      {"query: b\xC3\xBC"
       "cher.test",
       "=xn--bcher-kva.test", true},
      {"query|endswith: .b\xC3\xBC"
       "cher.test",
       "<xn--bcher-kva.test", true},
      {"query: 'a\\.b.test'", "=a\\.b.test", true},
      {"query|endswith: '\\.b'", "~\\.b$", false},
      {"query|endswith: '\\.b.evil.test'", "<evil.test", false},
      {"query: " + long_label + ".test", "never", true},
      {"query: [" + long_label + ".test, evil.test]", "=evil.test", true},
      {"query: a..test", "never", true},
      {"query: ''", "never", true},
      {"query: null", "never", true},
      {"query: 'caf\\233.test'", "=caf\\233.test", true},
      {"query: '\\097.test'", "never", true},
      {"query: a.b.c.d.e.f.g.h", "=a.b.c.d.e.f.g.h", true},
      {"query: a.b.c.d.e.f.g.h.i", "=a.b.c.d.e.f.g.h.i", false},
      {"Image: /usr/bin/node", "every", false},
      {"Hashes: x", "never", true},
      {"Hashes: null", "every", false},
      {"Hashes|exists: true", "never", true},
      {"Hashes|exists: false", "every", false},
      {"Hashes|re: x", "never", true},
      {"query|fieldref: Hashes", "never", true},
      {"query|fieldref: User", "every", false},
      {"query|exists: true", "every", false},
      {"query|exists: false", "never", true},
      {"query|re: '\\.evil\\.test$'", "~.evil.test", false},
      {"query|re: '^(abc|def)[0-9]+'", "~abc ~def", false},
      {"query|re: '(?i)EVIL.*(abc|def)'", "~evil", false},
      {"query|re: '^[a-z0-9]{20,}$'", "every", false},
      {"query|re: 'a|evil'", "every", false},
      {"query|endswith|windash: '-a.evil.test'", "<evil.test", false},
      {"query|utf16: a.test", "never", true},
      {"query|base64offset|contains: evil", "~ldmls ~v2aw ~zxzpb", false},
      {"query_length|gt: 70", "every", false},
      {"query_length: '> 70'", "never", true},
      {"query_etld_plus_one: evil.test", "=<evil.test", false},
      {"query_etld_plus_one|endswith: .test", "~.test$", false},
      {"subdomain|startswith: evil", "^evil", false},
      {"record_type: TXT", "TXT", false},
      {"record_type: [MX, 16, any]", "MX TXT ANY", false},
      {"record_type|gt: 16", "every", false},
      {"Z: 2", "+20-0", false},
      {"Z: ['1', 6]", "+70-0", false},
      {"Z|neq: 0", "+70-0", false},
      {"Z|neq: [0, 2]", "+70-0", false},
      {"Z: 0", "every", false},
      {"Z|neq: 2", "every", false},
      {"RD: false", "+0-100", false},
      {"RD|neq: true", "+0-100", false},
      {"RD: true", "+100-0", false},
      {"Z|neq: 0\n    query|endswith: .evil.test", "<evil.test", false},
      {"record_type: 'T*'", "every", false},
      {"parent_domain: [Evil.test, b.test]", "<b.test <evil.test", false},
  };
  for (const auto& c : cases) {
    const RulePlan plan = plan_of(rule_with_test(c.test));
    EXPECT_EQ(shown(plan), c.witnesses) << c.test;
    EXPECT_EQ(plan.kernel_decides, c.kernel_decides) << c.test;
    EXPECT_FALSE(plan.kernel.empty());
    EXPECT_FALSE(plan.verifier.empty());
  }
}

TEST(Plan, WitnessesOfConditions) {
  const std::string selections =
      "  name:\n    query: evil.test\n  below:\n    query|endswith: .b.test\n  top:\n    query|endswith: .test\n"
      "  node:\n    Image|endswith: /node\n  text:\n    query|contains: x\n  maps:\n    - query: m.test\n    - query: "
      "n.test\n"
      "      Image: /bin/a\n  gone:\n    Hashes: a\n  windows:\n    Image|endswith: \\\\curl.exe\n";
  const struct {
    const char* condition;
    const char* witnesses;
    bool kernel_decides;
  } cases[] = {
      {"name", "=evil.test", true},
      {"name or below", "<b.test =evil.test", true},
      {"name and node", "=evil.test", false},
      {"node and name", "=evil.test", false},
      {"text and (name or below)", "<b.test =evil.test", false},
      {"top and below", "<b.test", false},
      {"name or node", "every", false},
      {"not name", "every", false},
      {"not not name", "=evil.test", true},
      {"not (text or not name)", "=evil.test", false},
      {"not (not name and not below)", "<b.test =evil.test", true},
      {"not (name and below)", "every", false},
      {"name or not below", "every", false},
      {"name and not text", "=evil.test", false},
      {"maps", "=m.test =n.test", false},
      {"1 of *", "every", false},
      {"all of *", "never", true},
      {"gone or name", "=evil.test", true},
      {"gone", "never", true},
      {"not gone", "every", false},
      {"name and 1 of none*", "never", true},
      {"windows", "never", true},
      {"windows and not text", "never", true},
      {"name or windows", "=evil.test", true},
      {"name and not windows", "=evil.test", false},
      {"not windows", "every", false},
  };
  for (const auto& c : cases) {
    const RulePlan plan = plan_of(rule_with_detection(selections + "  condition: " + c.condition + "\n"));
    EXPECT_EQ(shown(plan), c.witnesses) << c.condition;
    EXPECT_EQ(plan.kernel_decides, c.kernel_decides) << c.condition;
  }
}

TEST(Plan, ExplanationsNameTheCause) {
  const RulePlan every = plan_of(rule_with_test("query|contains: ."));
  EXPECT_NE(every.kernel.find("'query|contains: .' (line 6)"), std::string::npos) << every.kernel;
  const RulePlan image = plan_of(rule_with_test("Image: /bin/a"));
  EXPECT_NE(image.kernel.find("'Image' (line 6) is no test of the name"), std::string::npos) << image.kernel;
  const RulePlan long_label = plan_of(rule_with_test("query: " + std::string(64, 'x')));
  ASSERT_EQ(long_label.notes.size(), 1u);
  EXPECT_NE(long_label.notes[0].find("6:12:"), std::string::npos);
  EXPECT_NE(long_label.notes[0].find("at most 63"), std::string::npos);
  const RulePlan top = plan_of(rule_with_test("query|endswith: .zip"));
  ASSERT_EQ(top.notes.size(), 1u);
  EXPECT_NE(top.notes[0].find("top-level domain zip"), std::string::npos);
  const RulePlan suffix = plan_of(rule_with_test("query|endswith: .com.br"));
  ASSERT_EQ(suffix.notes.size(), 1u);
  EXPECT_NE(suffix.notes[0].find("public suffix com.br"), std::string::npos) << suffix.notes[0];
  // A company's, the name alone, and one that a person registered are what rules are about.
  for (const char* narrow : {"query|endswith: .duckdns.org", "query: com.br", "query|endswith: .evil.com.br"}) {
    EXPECT_TRUE(plan_of(rule_with_test(narrow)).notes.empty()) << narrow;
  }
}

TEST(Plan, NamesOfRulesAreUnitedAndThoseOfListsFollow) {
  lists::NameList list;
  list.id = "list/l";
  ASSERT_EQ(lists::parse_plain("listed.test\n*.evil.test\n", lists::Scope::suffix, list.table).bad_lines, 0u);
  std::vector<lists::NameList> lists;
  lists.push_back(std::move(list));
  Plan made =
      make_plan(rules_of(rule_with_test("query: evil.test") + "---\n" + rule_with_test("query|endswith: .evil.test")),
                std::move(lists));
  const Plan plan = std::move(made);
  std::vector<std::string> names;
  plan.predicates().for_each_name(
      [&](const KernelName& name) { names.push_back(notation(name.exact, name.below, name.wire)); });
  EXPECT_EQ(names, (std::vector<std::string>{"=<evil.test", "=<listed.test", "<evil.test"}));
  EXPECT_FALSE(plan.every_query());
}

TEST(Plan, SearchSuffixesAreEntriesOfTheirOwnAndEndsOfTextsAreBeforeThem) {
  Plan plan = make_plan(rules_of(rule_with_test("query|endswith: vil")), {});
  plan.set_search_suffixes(
      {{presentation_to_wire("lan").value(), false}, {presentation_to_wire("svc.test").value(), true}});
  const KernelPredicates predicates = plan.predicates();
  ASSERT_EQ(predicates.names.size(), 2U);
  EXPECT_EQ(predicates.names[0].search, NSL_NAME_SEARCH);
  EXPECT_EQ(predicates.names[1].search, NSL_NAME_SEARCH_ANY);
  EXPECT_EQ(predicates.texts,
            (std::vector<NameText>{{"vil", false, true}, {"vil.lan", false, true}, {"vil.", false, false}}));
}

TEST(Plan, OneRuleCanNeedEveryQuery) {
  const Plan plan =
      make_plan(rules_of(rule_with_test("query: a.test") + "---\n" + rule_with_test("Image: /bin/a")), {});
  EXPECT_TRUE(plan.every_query());
  EXPECT_EQ(plan.predicates().names.size(), 1u);
}

// Which queries' responses the kernel hands over: those that leave for the names of such rules, or all.
TEST(Plan, ResponsesThatAreNeeded) {
  const struct {
    const char* selection;
    const char* witnesses;
    bool reads_response;
    std::uint32_t awaited;
  } cases[] = {
      {"query: evil.test", "=evil.test", false, 0},
      {"query: evil.test\n    rcode: NXDOMAIN", "=evil.test", true, NSL_REASON_NAME},
      {"query|endswith: .evil.test\n    answer|cidr: 10.0.0.0/8", "<evil.test", true, NSL_REASON_NAME},
      {"query|contains: evil\n    answer: 192.0.2.1", "~evil", true, ~0U},
      {"record_type: TXT\n    answer|contains: IEX", "TXT", true, ~0U},
      {"answer: 192.0.2.1", "every", true, ~0U},
      {"query|fieldref: answer", "every", true, ~0U},
      {"query: evil.test\n    ttl: 5\n    answer: 192.0.2.1", "never", false, 0},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.selection);
    const Plan plan =
        make_plan(rules_of(rule_with_detection(std::string("  s:\n    ") + c.selection + "\n  condition: s\n")), {});
    EXPECT_EQ(shown(plan.rule_plans()[0]), c.witnesses);
    EXPECT_EQ(plan.rule_plans()[0].reads_response, c.reads_response);
    EXPECT_EQ(plan.reads_response(), c.reads_response);
    EXPECT_EQ(plan.predicates().awaited, c.awaited);
    EXPECT_EQ(build_kernel_tables(plan.predicates(), {}).generation(1).awaited, c.awaited);
    EXPECT_EQ(plan.rule_plans()[0].kernel.find("response") != std::string::npos, c.reads_response);
    EXPECT_EQ(plan.rule_plans()[0].firing.firing,
              plan.rule_plans()[0].reach == Reach::never ? Firing::never : Firing::always);
  }
}

TEST(Plan, ARuleWaitsForAResponseThatACorrelationCounts) {
  const std::string rules = rule_with_test("query: a.test") + "---\n" + rule_with_test("query: b.test");
  sigma::Correlation inner;
  inner.sources.push_back({.name = "first", .place = {}, .rules = {0}, .correlations = {}, .group_by = {}});
  sigma::Correlation outer;
  outer.fields.push_back({sigma::Field::answer, "answer"});
  outer.sources.push_back({.name = "inner", .place = {}, .rules = {}, .correlations = {0}, .group_by = {}});
  std::vector<sigma::Correlation> correlations;
  correlations.push_back(std::move(inner));
  correlations.push_back(std::move(outer));
  const Plan plan = make_plan(rules_of(rules), {}, std::move(correlations));
  EXPECT_TRUE(plan.rule_plans()[0].counts_response);
  EXPECT_TRUE(plan.rule_plans()[0].reads_response);
  EXPECT_FALSE(plan.rule_plans()[1].reads_response);
}

// The first note, which is also why it never fires where nothing better is known.
TEST(Plan, ARuleWithoutReachNeverFires) {
  for (const char* test : {"query|endswith: '.evil..test'", "query|endswith: '.evil.test '", "query: '\\097.test'",
                           "query_etld_plus_one: 'a..b'"}) {
    const RulePlan plan = plan_of(rule_with_test(test));
    EXPECT_EQ(plan.reach, Reach::never) << test;
    EXPECT_EQ(plan.firing.firing, Firing::never) << test;
    EXPECT_FALSE(plan.firing.reason.empty()) << test;
  }
}

TEST(Plan, NotesOnRegularExpressionsOfNames) {
  const struct {
    const char* test;
    std::vector<const char*> words;
  } cases[] = {
      {"query|re: '^evil[0-9]+\\.test$'", {"6:15: '^evil[0-9]+\\.test$' tells upper from lower case"}},
      {"query|re|i: '^evil[0-9]+\\.test$'", {}},
      {"query|re: '^[0-9]+\\.'", {}},
      {"CommandLine|re: 'evil'", {}},
      {"parent_domain|re: ['[0-9]', evil, more]", {"6:33: 'evil' tells"}},
      {"query|re|i: '^b\xC3\xBC"
       "cher\\.example$'",
       {"letters outside ASCII"}},
  };
  for (const auto& c : cases) {
    const RulePlan plan = plan_of(rule_with_test(c.test));
    ASSERT_EQ(plan.notes.size(), c.words.size()) << c.test;
    for (std::size_t i = 0; i < c.words.size(); ++i) {
      EXPECT_NE(plan.notes[i].find(c.words[i]), std::string::npos) << plan.notes[i];
    }
  }
}

TEST(Plan, SelectionsThatAConditionNamesOverAndOverAreBounded) {
  std::string selection = "  s:\n    query:\n";
  for (int i = 0; i < 2000; ++i) selection += "      - n" + std::to_string(i) + ".test\n";
  selection += "  t: {'query|endswith': .t.test}\n";
  std::string beside = "s";
  std::string nested = "(s or t)";
  for (int i = 0; i < 5'000; ++i) beside += " or s";
  for (int i = 0; i < 5'000; ++i) nested += " or (t or s)";
  const RulePlan once = plan_of(rule_with_detection(selection + "  condition: " + beside + "\n"));
  EXPECT_EQ(once.witnesses.size(), 2000u);
  EXPECT_TRUE(once.kernel_decides);
  const RulePlan twice = plan_of(rule_with_detection(selection + "  condition: (s or t) and (t or s) or s\n"));
  EXPECT_EQ(twice.witnesses.size(), 2001u);
  const RulePlan often = plan_of(rule_with_detection(selection + "  condition: " + nested + "\n"));
  EXPECT_EQ(often.reach, Reach::every_query);
  EXPECT_NE(often.kernel.find("over and over"), std::string::npos) << often.kernel;
}

}  // namespace
}  // namespace nslookout::compile
