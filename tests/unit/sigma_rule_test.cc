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
      {"{product: windows, service: dns-client}", false, true},
      {"{product: windows, service: dns-server-analytic}", false, true},
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
               {"answers", Field::answer},
               {"QueryResults", Field::answer},
               {"rcode_name", Field::rcode},
               {"query_length", Field::query_length},
               {"ParentCommandLine", Field::parent_command_line},
               {"CurrentDirectory", Field::current_directory},
               {"container.name", Field::container_name},
               {"kubernetes.pod.name", Field::pod_name},
               {"id.resp_p", Field::server_port},
               {"destination.ip", Field::server_address},
               {"Query", Field::other},
               {"Hashes", Field::other}};
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
  EXPECT_EQ(value("record_type: TYPE16").patterns.at(0), parse_pattern("TXT", false));
  EXPECT_EQ(value("rcode: '3'").patterns.at(0), parse_pattern("NXDOMAIN", false));
  EXPECT_EQ(value("answers: '2001:DB8:0::1'").patterns.at(0), parse_pattern("2001:db8::1", false));
  EXPECT_EQ(value("answers: '::ffff:192.0.2.1'").patterns.at(0), parse_pattern("192.0.2.1", false));
  EXPECT_EQ(value("Image|exists: false").exists, false);
  EXPECT_EQ(value("query_length|gte: 7").order, Order::greater_or_equal);
  EXPECT_EQ(value("UtcTime|hour|lt: 7").number_of, NumberOf::hour);
  EXPECT_EQ(value("query|fieldref|endswith: User").reference.comparison, Comparison::endswith);
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
      {rule_with_detection("  sel:\n    - [a]\n  condition: sel\n"), 6, 7, "must be a map or a keyword"},
      {rule_with_detection("  sel:\n    - a\n    - null\n  condition: sel\n"), 7, 7, "must be a map or a keyword"},
      {rule_with_test("'|exists': true"), 6, 6, "needs a field"},
      {rule_with_test("query: []"), 6, 12, "is empty"},
      {rule_with_test("query: {a: b}"), 6, 12, "must be a text"},
      {rule_with_test("query: [a, [b]]"), 6, 16, "must be a text"},
      {rule_with_test("User: ['', null]"), 6, 16, "null cannot stand in a list"},
      {rule_with_test("query|contains: null"), 6, 21, "null cannot be combined"},
      {rule_with_test("User|neq|contains: null"), 6, 24, "null cannot be combined"},
      {rule_with_test("answer|cidr: 10.0.0/99"), 6, 18, "is no address"},
      {rule_with_test("answer|cidr: 10.0.0.0/33"), 6, 18, "number up to 32"},
      {rule_with_test("answer|cidr: 10.0.0.1/8"), 6, 18, "bits set behind the prefix"},
      {rule_with_test("answer|cidr: '2001:db8::1/64'"), 6, 18, "bits set behind the prefix"},
      {rule_with_test("answer|cidr|contains: 10.0.0.0/8"), 6, 17, "cannot be combined with 'cidr'"},
      {rule_with_test("query|re: 'a('"), 6, 15, "RE2 can compile"},
      {rule_with_test("query|re: 'a(?=b)'"), 6, 15, "RE2 can compile"},
      {rule_with_test("query|re: '(a)\\1'"), 6, 15, "RE2 can compile"},
      {rule_with_test("query|re: '" + std::string("((a{100}){100}){100}") + "'"), 6, 15, "RE2 can compile"},
      {rule_with_test("query|contains|re: a"), 6, 20, "must be the first modifier"},
      {rule_with_test("query|re|endswith: a"), 6, 14, "write ^ or $"},
      {rule_with_test("query|re|cased: a"), 6, 14, "cannot be combined"},
      {rule_with_test("query|i: a"), 6, 11, "must follow 're'"},
      {rule_with_test("query|contains|contains: a"), 6, 20, "cannot be combined"},
      {rule_with_test("User|exists: 1"), 6, 18, "takes true or false"},
      {rule_with_test("User|exists: 'true'"), 6, 18, "takes true or false"},
      {rule_with_test("User|exists: [true]"), 6, 18, "not a list"},
      {rule_with_test("User|exists|neq: true"), 6, 17, "cannot be combined with 'exists'"},
      {rule_with_test("User|contains|exists: true"), 6, 19, "cannot be combined"},
      {rule_with_test("query_length|gt: '70'"), 6, 22, "must be a number"},
      {rule_with_test("query_length|gt: x"), 6, 22, "must be a number"},
      {rule_with_test("query_length|gt|lt: 70"), 6, 21, "cannot be combined"},
      {rule_with_test("query_length|gt|contains: 70"), 6, 21, "cannot be combined"},
      {rule_with_test("UtcTime|hour: noon"), 6, 19, "must be a number"},
      {rule_with_test("User|base64: 'a*b'"), 6, 18, "has no Base64 form"},
      {rule_with_test("User|contains|base64: ab"), 6, 27, "has no Base64 form"},
      {rule_with_test("User|wide|base64: 'a?b'"), 6, 23, "has no UTF-16 form"},
      {rule_with_test("User|fieldref|re: a"), 6, 19, "must be the first modifier"},
      {rule_with_test("User|fieldref|base64: a"), 6, 19, "cannot be combined"},
      {rule_with_test("User|fieldref: ''"), 6, 20, "takes the name of a field"},
      {rule_with_test("User|expand: '%nobody%'"), 6, 18, "nothing says what %nobody% stands for"},
      {rule_with_test("CommandLine|windash: '-a -b -c -d -e -f'"), 6, 26, "more than 10000 variants"},
      {rule_with_test("query|eq: x"), 6, 11, "is not a modifier"},
      {rule_with_test("query|staartswith: x"), 6, 11, "is not a modifier"},
      {rule_with_test("query|: x"), 6, 11, "is not a modifier"},
      {rule_with_test("query|contains|endswith: x"), 6, 20, "cannot be combined"},
      {rule_with_test("query|endswith: b\xC3\xBC"
                      "cher.test"),
       6, 21, "only part of a label"},
      {"title: t\naction: merge\n", 2, 9, "no action of Sigma"},
      {"title: t\naction: repeat\n", 2, 9, "no document before this one"},
      {"title: t\ncorrelation:\n  type: event_count\n", 3, 3, "names no rules"},
      {"title: t\nfilter:\n  rules: any\n", 1, 1, "no logsource"},
      {"title: t\nlogsource: {category: dns}\nfilter: {rules: any, s: {query: x}}\n", 3, 9, "no condition"},
      {"title: t\nlogsource: {category: dns}\nfilter: {s: {query: x}, condition: not s}\n", 3, 9, "name its rules"},
      {"title: t\nlogsource: {category: dns}\nfilter: {rules: any, s: {query: x}, condition: not t}\n", 3, 52,
       "no selection"},
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
      rule_with_detection("  one:\n    query|cidr: x\n    query|re: (y\n  two:\n    query: []\n  condition: one\n"),
      "t.yml");
  EXPECT_EQ(set.error_count(), 3u);
}

TEST(SigmaRule, TrapsWarn) {
  for (const char* test : {"record_type: NULL", "Hashes: 127.0.0.1", "query_length: '> 70'"}) {
    const RuleSet set = parse_rules(rule_with_test(test), "t.yml");
    EXPECT_EQ(set.rules.size(), 1u);
    ASSERT_EQ(set.findings.size(), 1u) << test;
    EXPECT_EQ(set.findings[0].kind, FindingKind::warning);
  }
}

TEST(SigmaRule, ARegularExpressionTellsCasesOrNot) {
  const std::pair<const char*, bool> cases[] = {
      {"^evil[0-9]+\\.test$", true},
      {"EVIL", true},
      {"[a-f0-9]{4}", true},
      {"(?P<n>[0-9]+)", false},
      {"^[a-zA-Z0-9]+$", false},
      {"[eE][vV]", false},
      {"\\d+\\.\\w+", false},
      {"(?i)evil", false},
      {"(?si:evil)", false},
      {"(?s)evil", true},
      {"(?-i)evil", true},
      {"[[:alpha:]]", false},
      {"[[:lower:]]", true},
      {"\\p{Greek}+", false},
      {"\\x{41}\\.[^a-z]", true},
      {"[]a]", true},
      {"[^\\]]", false},
      {"(?:[0-9]|-)+", false},
      {"", false},
      {"\\pL", false},
  };
  for (const auto& [source, tells] : cases) {
    const Result<Regex> regex = Regex::compile(source, {});
    ASSERT_TRUE(regex) << source;
    EXPECT_EQ(regex->tells_cases(), tells) << source;
    EXPECT_FALSE(Regex::compile(source, {.ignore_case = true})->tells_cases());
  }
}

TEST(SigmaRule, TheEventIdOfASourceOfWindowsIsAConstant) {
  const struct {
    const char* source;
    const char* test;
    Expression::Kind kind;  // all: always true, any: never
  } cases[] = {
      {"{product: windows, service: dns-client}", "EventID: 3008", Expression::Kind::all},
      {"{product: windows, service: dns-client}", "EventID: '3008'", Expression::Kind::all},
      {"{product: windows, service: dns-client}", "EventID: [1, 3008]", Expression::Kind::all},
      {"{product: windows, service: dns-client}", "EventID: 22", Expression::Kind::any},
      {"{product: windows, service: dns-client}", "EventID|gt: 3008", Expression::Kind::any},
      {"{product: windows, service: dns-client}", "EventID: null", Expression::Kind::any},
      {"{product: windows, category: dns_query}", "EventID: 22", Expression::Kind::all},
      {"{category: dns_query}", "EventID: 22", Expression::Kind::test},
  };
  for (const auto& c : cases) {
    const RuleSet set = parse_rules(
        "title: t\nlogsource: " + std::string(c.source) + "\ndetection:\n  s:\n    " + c.test + "\n  condition: s\n",
        "t.yml", {.windows = true});
    ASSERT_EQ(set.rules.size(), 1u) << c.test;
    EXPECT_EQ(set.rules[0].selections[0].expression.children.at(0).kind, c.kind) << c.source << c.test;
  }
}

TEST(SigmaRule, AMistakeInARuleAboutSomethingElseIsToldButSpoilsNothing) {
  const RuleSet set = parse_rules(
      rule_with_test("query: a") +
          "---\ntitle: t\nlogsource: {category: process_creation}\ndetection: {s: {Image|x: a}, condition: s}\n",
      "t.yml");
  EXPECT_TRUE(set.usable());
  ASSERT_EQ(set.findings.size(), 2u);
  EXPECT_EQ(set.findings[1].kind, FindingKind::other_source);
  EXPECT_EQ(set.findings[1].document, 2u);
}

}  // namespace
}  // namespace nslookout::sigma
