// sigma/rule.h and sigma/detection.h: what a rule keeps, and every refusal with its place.
#include "sigma/rule.h"

#include <gtest/gtest.h>

#include <string>

#include "sigma_rule_text.h"

namespace nslookout::sigma {
namespace {

TEST(SigmaRule, KeepsItsMetadata) {
  const std::vector<Rule> rules = rules_of(
      "title: A title\nid: 4f1d1c0a-0000-4000-8000-000000000001\nname: a_name\nstatus: test\nlevel: high\n"
      "description: text\nauthor: somebody\ntags:\n  - attack.t1071.004\n  - tlp.clear\nreferences: [https://a.test/]\n"
      "logsource:\n  category: dns\n  definition: any text\n"
      "detection:\n  sel:\n    query: a.test\n  condition: sel\n---\n" +
      rule_with_test("query: b.test"));
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].title, "A title");
  EXPECT_EQ(rules[0].id, "4f1d1c0a-0000-4000-8000-000000000001");
  EXPECT_EQ(rules[0].level, "high");
  EXPECT_EQ(rules[0].tags, (std::vector<std::string>{"attack.t1071.004", "tlp.clear"}));
  EXPECT_EQ(rules[0].references, std::vector<std::string>{"https://a.test/"});
  EXPECT_EQ(rules[0].file, "t.yml");
  EXPECT_EQ(rules[0].document, 1u);
  EXPECT_EQ(rules[1].document, 2u);
  EXPECT_EQ(rules[1].place.line, 20);
  EXPECT_EQ(rules[1].id, "");
}

TEST(SigmaRule, LogSources) {
  const struct {
    const char* source;
    bool linux_only;  // accepted without options
    bool windows;     // accepted with RuleOptions::windows
  } cases[] = {
      {"{category: dns}", true, true},
      {"{category: dns, product: linux}", true, true},
      {"{category: dns_query}", true, true},
      {"{category: dns_query, product: linux}", true, true},
      {"{category: dns_query, product: windows}", false, true},
      {"{category: network, service: dns}", true, true},
      {"{product: zeek, service: dns}", true, true},
      {"{category: dns, product: macos}", false, false},
      {"{category: dns, service: bind}", false, false},
      {"{category: network}", false, false},
      {"{category: process_creation, product: linux}", false, false},
      {"{product: windows, service: dns-server}", false, false},
      {"{}", false, false},
  };
  for (const auto& c : cases) {
    const std::string text =
        "title: t\nlogsource: " + std::string(c.source) + "\ndetection:\n  s:\n    query: x\n  condition: s\n";
    const RuleSet native = parse_rules(text, "t.yml");
    EXPECT_EQ(native.rules.size() == 1, c.linux_only) << c.source;
    EXPECT_EQ(parse_rules(text, "t.yml", {.windows = true}).rules.size() == 1, c.windows) << c.source;
    if (c.linux_only) continue;
    ASSERT_EQ(native.findings.size(), 1u) << c.source;
    EXPECT_EQ(native.findings[0].kind, FindingKind::other_source);
    EXPECT_EQ(native.findings[0].place.line, 2);
    EXPECT_EQ(native.findings[0].place.column, 12);
  }
}

TEST(SigmaRule, FieldNamesOfEveryTaxonomy) {
  const struct {
    const char* name;
    Field field;
  } cases[] = {{"query", Field::query},
               {"QueryName", Field::query},
               {"dns.question.name", Field::query},
               {"record_type", Field::record_type},
               {"QueryType", Field::record_type},
               {"qtype_name", Field::record_type},
               {"Image", Field::image},
               {"process.executable", Field::image},
               {"CommandLine", Field::command_line},
               {"User", Field::user},
               {"ProcessId", Field::process_id},
               {"ParentImage", Field::parent_image},
               {"Query", Field::other},
               {"answers", Field::other}};
  for (const auto& c : cases) EXPECT_EQ(field_from_name(c.name), c.field) << c.name;
}

TEST(SigmaRule, ValuesKeepTheirKind) {
  const auto value = [](const std::string& test) { return rules_with_test(test).at(0).tests.at(0).values.at(0); };
  EXPECT_EQ(value("ProcessId: 42").kind, Value::Kind::number);
  EXPECT_EQ(value("ProcessId: 42").number, 42);
  EXPECT_EQ(value("ProcessId: '42'").kind, Value::Kind::text);
  EXPECT_EQ(value("ProcessId|contains: 42").kind, Value::Kind::text);
  EXPECT_EQ(value("ProcessId: 0x10").number, 16);
  EXPECT_EQ(value("ProcessId: -1.5e1").number, -15);
  EXPECT_EQ(value("ProcessId: .inf").kind, Value::Kind::text);
  EXPECT_EQ(value("ProcessId: 1-2").kind, Value::Kind::text);
  EXPECT_EQ(value("query: 042").kind, Value::Kind::text);
  EXPECT_EQ(value("query: 042").source, "042");
  EXPECT_EQ(value("User: null").kind, Value::Kind::null);
  EXPECT_EQ(value("User: 'null'").kind, Value::Kind::text);
  EXPECT_EQ(value("User: no").source, "no");
  EXPECT_EQ(value("record_type: TYPE16").pattern, parse_pattern("TXT", false));
}

TEST(SigmaRule, RefusalsSayWhereAndWhy) {
  const struct {
    std::string text;
    int line;
    int column;
    const char* words;
    FindingKind kind = FindingKind::broken;
  } cases[] = {
      {"- a\n", 1, 1, "a rule must be a map"},
      {"just text\n", 1, 1, "a rule must be a map"},
      {"logsource:\n  category: dns\ndetection:\n  s: {query: x}\n  condition: s\n", 1, 1, "no title"},
      {"title: [a]\nlogsource:\n  category: dns\ndetection:\n  s: {query: x}\n  condition: s\n", 1, 8,
       "title must be a text"},
      {"title: t\ndetection:\n  s: {query: x}\n  condition: s\n", 1, 1, "no logsource"},
      {"title: t\nlogsource:\n  category: dns\n", 1, 1, "no detection"},
      {"title: t\nlevel: bad\nlogsource:\n  category: dns\ndetection:\n  s: {query: x}\n  condition: s\n", 2, 8,
       "'bad' is no level"},
      {"title: t\ntags: {a: b}\nlogsource:\n  category: dns\ndetection:\n  s: {query: x}\n  condition: s\n", 2, 7,
       "tags must be a list"},
      {rule_with_detection("  sel:\n    query: x\n"), 5, 3, "no condition"},
      {rule_with_detection("  sel: {}\n  condition: sel\n"), 5, 8, "empty map"},
      {rule_with_detection("  sel: []\n  condition: sel\n"), 5, 8, "empty list"},
      {rule_with_detection("  sel:\n  condition: sel\n"), 5, 3, "null"},
      {rule_with_detection("  sel: word\n  condition: sel\n"), 5, 8, "keywords", FindingKind::not_evaluated},
      {rule_with_detection("  sel:\n    - word\n  condition: sel\n"), 6, 7, "keywords", FindingKind::not_evaluated},
      {rule_with_test("'|all': [a, b]"), 6, 5, "keywords", FindingKind::not_evaluated},
      {rule_with_test("query: []"), 6, 12, "is empty"},
      {rule_with_test("query: {a: b}"), 6, 12, "must be a text"},
      {rule_with_test("query: [a, [b]]"), 6, 16, "must be a text"},
      {rule_with_test("User: ['', null]"), 6, 16, "null cannot stand in a list"},
      {rule_with_test("query|contains: null"), 6, 21, "null cannot be combined"},
      {rule_with_test("query|cidr: 10.0.0.0/8"), 6, 11, "does not evaluate the modifier 'cidr'",
       FindingKind::not_evaluated},
      {rule_with_test("query|contains|windash: x"), 6, 20, "does not evaluate the modifier 'windash'",
       FindingKind::not_evaluated},
      {rule_with_test("query|staartswith: x"), 6, 11, "is not a modifier"},
      {rule_with_test("query|: x"), 6, 11, "is not a modifier"},
      {rule_with_test("query|contains|endswith: x"), 6, 20, "cannot be combined"},
      {rule_with_test("query|endswith: b\xC3\xBC"
                      "cher.test"),
       6, 21, "only part of a label"},
      {"title: t\naction: global\n", 2, 9, "collections", FindingKind::not_evaluated},
      {"title: t\ncorrelation:\n  type: event_count\n", 3, 3, "'correlation'", FindingKind::not_evaluated},
      {"title: t\nfilter:\n  rules: any\n", 3, 3, "'filter'", FindingKind::not_evaluated},
  };
  for (const auto& c : cases) {
    const RuleSet set = parse_rules(c.text, "t.yml");
    EXPECT_TRUE(set.rules.empty()) << c.text;
    ASSERT_EQ(set.error_count(), 1u) << c.text;
    const Finding& finding = set.findings.front();
    EXPECT_NE(finding.what.find(c.words), std::string::npos) << finding.text() << "\n" << c.text;
    EXPECT_EQ(finding.place.line, c.line) << finding.text() << "\n" << c.text;
    EXPECT_EQ(finding.place.column, c.column) << finding.text() << "\n" << c.text;
    EXPECT_EQ(finding.kind, c.kind) << finding.text();
  }
}

TEST(SigmaRule, AllErrorsOfARuleAreShown) {
  const RuleSet set = parse_rules(
      rule_with_detection("  one:\n    query|cidr: x\n    query|re: y\n  two:\n    query: []\n  condition: one\n"),
      "t.yml");
  EXPECT_EQ(set.error_count(), 3u);
}

TEST(SigmaRule, TrapsWarn) {
  for (const char* test : {"record_type: NULL", "answers: 127.0.0.1"}) {
    const RuleSet set = parse_rules(rule_with_test(test), "t.yml");
    EXPECT_EQ(set.rules.size(), 1u);
    ASSERT_EQ(set.findings.size(), 1u) << test;
    EXPECT_EQ(set.findings[0].kind, FindingKind::warning);
  }
}

}  // namespace
}  // namespace nslookout::sigma
