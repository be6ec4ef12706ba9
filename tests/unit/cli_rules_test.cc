// cli/: what check, explain and match say about rules.
#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/dns_name.h"
#include "cli/check_report.h"
#include "cli/explain_report.h"
#include "cli/match_events.h"
#include "cli/match_report.h"

namespace nslookout::cli {
namespace {

using nlohmann::json;

// One loaded rule with a title that tries to forge a line, two refused ones and a file that is none.
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
  set.documents = {{"a.yml", 1, {1, 1}, "a-id", "a", {}, {}},
                   {"a.yml", 2, {9, 1}, "", "", {}, {}},
                   {"b.yml", 1, {1, 1}, "some-id", rule.title, {}, 0}};
  set.findings = {{sigma::FindingKind::warning, "b.yml", 1, {4, 2}, "too wide"},
                  {sigma::FindingKind::not_evaluated, "a.yml", 1, {2, 3}, "this is new"},
                  {sigma::FindingKind::broken, "a.yml", 2, {10, 3}, "no modifier"},
                  {sigma::FindingKind::broken, "c.yml", 0, {}, "cannot be read"}};
  return set;
}

compile::Plan plan_of(const sigma::RuleSet& set) { return compile::make_plan(set.rules, {}); }

TEST(CliCheckText, OneLineEachInTheOrderOfPlaces) {
  const auto set = mixed_set();
  EXPECT_EQ(check_text(set, plan_of(set)),
            "a.yml:2:3: invalid: this is new\n"
            "a.yml:10:3: invalid: no modifier\n"
            "b.yml:1:1: valid, never fires: its condition is false for every lookup: a title\\x0ab.yml:9:9: invalid: "
            "forged (some-id)\n"
            "b.yml:4:2: warning: too wide\n"
            "c.yml: invalid: cannot be read\n"
            "files 3, rules that can fire 0, degraded 0, never 1, of another log source 0, invalid 3, filters 0, "
            "warnings 1\n");
}

TEST(CliCheckJson, EveryDocumentWithItsErrors) {
  const auto set = mixed_set();
  const auto report = json::parse(check_json(set, plan_of(set)));
  ASSERT_EQ(report.size(), 1u);
  EXPECT_EQ(report["rules"][1], json::parse(R"({"file": "a.yml", "document": 2, "id": "", "title": "",
      "status": "invalid", "fires": "never", "reason": "no modifier",
      "errors": [{"line": 10, "column": 3, "message": "no modifier"}]})"));
  EXPECT_EQ(report["rules"][2]["status"], "valid");
  EXPECT_EQ(report["rules"][2]["id"], "some-id");
  EXPECT_EQ(report["rules"][2]["errors"], json::array());
  EXPECT_EQ(report["rules"][3]["file"], "c.yml");
  EXPECT_EQ(report["rules"][3]["document"], 0);
  EXPECT_EQ(report["rules"][3]["status"], "invalid");
  EXPECT_EQ(report["rules"].size(), 4u);
}

TEST(CliCheckSarif, ErrorsWarningsAndNotes) {
  auto set = mixed_set();
  set.documents[0].file = set.findings[1].file = "a folder/a.yml";
  const auto report = json::parse(check_sarif(set, plan_of(set)));
  EXPECT_EQ(report["version"], "2.1.0");
  const auto& run = report["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["name"], "nslookout");
  std::vector<std::string> levels;
  for (const auto& result : run["results"]) {
    levels.push_back(result["level"]);
    EXPECT_TRUE(std::ranges::any_of(run["tool"]["driver"]["rules"],
                                    [&](const json& rule) { return rule["id"] == result["ruleId"]; }));
  }
  EXPECT_EQ(levels, (std::vector<std::string>{"error", "error", "warning", "note", "error"}));
  const auto& place = run["results"][0]["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], "a%20folder/a.yml");
  EXPECT_EQ(place["region"], json({{"startLine", 2}, {"startColumn", 3}}));
  EXPECT_FALSE(run["results"][4]["locations"][0]["physicalLocation"].contains("region"));
}

// One rule with the given tests, all of which must hold.
sigma::RuleSet rule_with(const std::string& tests) {
  return sigma::parse_rules(
      "title: one\nid: 11111111-2222-4333-8444-555555555555\nlogsource: {category: dns}\n"
      "level: high\ndetection:\n  sel:\n" +
          tests + (tests.find("condition:") == std::string::npos ? "  condition: sel\n" : ""),
      "one.yml");
}

TEST(CliCheckJson, AlwaysDegradedOrNever) {
  const struct {
    const char* tests;
    const char* fires;
    const char* reason;
  } cases[] = {
      {"    query: evil.test\n", "always", "every test can hold"},
      {"    - query: evil.test\n    - Hashes: x\n", "degraded", "no lookup here has the field Hashes"},
      {"    query: evil.test\n    Hashes: x\n", "never", "no lookup here has the field Hashes"},
      {"    query: 'evil..test'\n", "never", "no name that can be looked up"},
      {"    query: ['evil..test', evil.test]\n", "always", ""},
      {"    query_length: '> 70'\n", "never", "a number with a text"},
      {"    Image|endswith: \\regsvr32.exe\n", "never", "needs a path of Windows"},
      {"    Image|endswith: [\\node.exe, /node]\n", "always", ""},
      {"    query: evil.test\n  f:\n    Image|endswith: \\chrome.exe\n  condition: sel and not f\n", "degraded",
       "exceptions that never apply here, so that it fires without them: 'Image|endswith: \\chrome.exe'"},
      {"    query: null\n", "never", "every lookup has a name"},
      {"    Hashes: null\n", "degraded", "always holds"},
      {"    query|endswith: '.evil..test'\n", "never", "is in no name"},
      {"    query|endswith: '.evil.test '\n", "never", "is in no name"},
      {"    query|contains: 'evil test'\n", "never", "is in no name"},
      {"    query|contains: 'a..b'\n", "never", "is in no name"},
      {"    query|startswith: .evil\n", "never", "is in no name"},
      {"    query|contains: ['evil test', evil]\n", "always", ""},
      {"    query|contains: '\\032'\n", "always", ""},
      {"    query|startswith: .\n", "always", ""},
      {"    record_type: AAA\n", "never", "'record_type: AAA' is no value that the field can have"},
      {"    record_type: [AAA, TXTT]\n", "never", "'record_type: TXTT'"},
      {"    record_type: [AAA, TXT]\n", "always", ""},
      {"    record_type: 'AAA*'\n", "always", ""},
      {"    record_type: 65536\n", "never", "no value"},
      {"    record_type|gt: 65535\n", "never", "no value"},
      {"    record_type: TYPE65280\n", "always", ""},
      {"    record_type: any\n", "always", ""},
      {"    rcode: NXDOMIAN\n", "never", "no value"},
      {"    rcode: nxdomain\n", "always", ""},
      {"    rcode: 3\n", "always", ""},
      {"    dst_port: 70000\n", "never", "no value"},
      {"    dst_port: '070'\n", "never", "no value"},
      {"    dst_port: [53, '5353']\n", "always", ""},
      {"    dst_port|lt: 1024\n", "always", ""},
      {"    dst_ip: 10.0.0.0/8\n", "never", "no value"},
      {"    dst_ip: 10.0.0.1\n", "always", ""},
      {"    dst_ip: '10.*'\n", "always", ""},
      {"    dst_ip|cidr: 10.0.0.0/8\n", "always", ""},
      {"    answer: 10.0.0.0/8\n", "always", ""},
      {"    RD: 1\n", "never", "no value"},
      {"    RD: true\n", "always", ""},
      {"    RD: 'False'\n", "always", ""},
      {"    Z: 8\n", "never", "no value"},
      {"    query_length|gt: 253\n", "never", "no value"},
      {"    query_length|gt: 70\n", "always", ""},
      {"    query: evil.test\n  f:\n    dst_port: 70000\n  condition: sel and not f\n", "degraded", "exceptions"},
  };
  for (const auto& c : cases) {
    const auto set = rule_with(c.tests);
    ASSERT_EQ(set.rules.size(), 1u) << c.tests;
    const auto report = json::parse(check_json(set, plan_of(set)));
    EXPECT_EQ(report["rules"][0]["fires"], c.fires) << c.tests << report.dump();
    EXPECT_NE(report["rules"][0]["reason"].get<std::string>().find(c.reason), std::string::npos) << report.dump();
  }
}

TEST(CliCheckJson, SaysWhetherTheKernelCanBlock) {
  const auto blockable = rule_with("    query|endswith: .evil.test\n");
  const auto rule = json::parse(check_json(blockable, plan_of(blockable)))["rules"][0];
  EXPECT_EQ(rule["blocking"], true);
  EXPECT_EQ(rule["blocking_obstacle"], "");
  const auto narrowed = rule_with("    query|endswith: .evil.test\n    Image|endswith: /curl\n");
  const auto other = json::parse(check_json(narrowed, plan_of(narrowed)))["rules"][0];
  EXPECT_EQ(other["blocking"], false);
  EXPECT_NE(other["blocking_obstacle"].get<std::string>().find("Image|endswith"), std::string::npos) << other.dump();
}

TEST(CliCheckJson, ARuleAboutAnotherLogSourceNeverFiresAndFiltersAreNotListed) {
  const auto set = sigma::parse_rules(
      "title: one\nlogsource: {category: dns_query, product: windows}\ndetection: {s: {query: a}, condition: s}\n---\n"
      "title: two\nlogsource: {category: process_creation}\ndetection: {s: {'Image|contians': a}, condition: s}\n---\n"
      "title: three\nlogsource: {category: dns}\nfilter: {rules: any, f: {query: a}, condition: not f}\n",
      "w.yml");
  const auto report = json::parse(check_json(set, plan_of(set)));
  ASSERT_EQ(report["rules"].size(), 2u);
  EXPECT_EQ(report["rules"][0]["status"], "valid");
  EXPECT_EQ(report["rules"][0]["fires"], "never");
  EXPECT_NE(report["rules"][0]["reason"].get<std::string>().find("--product-windows"), std::string::npos);
  EXPECT_EQ(report["rules"][1]["status"], "invalid");
  EXPECT_EQ(report["rules"][1]["errors"].size(), 1u);
}

TEST(CliExplain, SaysWhatTheKernelDecidesAndWhatForcesEveryQueryOut) {
  const auto exact = rule_with("    query: evil.test\n");
  const auto by_name = json::parse(explain_json(exact, plan_of(exact)));
  EXPECT_EQ(by_name["every_query"], false);
  EXPECT_EQ(by_name["kernel_names"], 1);
  EXPECT_EQ(by_name["rules"][0]["reach"], "by_name");
  EXPECT_EQ(by_name["rules"][0]["kernel_decides"], true);
  EXPECT_EQ(by_name["rules"][0]["names"][0], json({{"name", "evil.test"}, {"exact", true}, {"below", false}}));
  EXPECT_NE(explain_text(exact, plan_of(exact)).find("names     evil.test\n"), std::string::npos);

  const auto suffix = rule_with("    query|endswith: .evil.test\n");
  EXPECT_NE(explain_text(suffix, plan_of(suffix)).find("names     *.evil.test\n"), std::string::npos)
      << explain_text(suffix, plan_of(suffix));

  const auto substring = rule_with("    query|contains: evil\n    record_type: TXT\n");
  const auto by_text = json::parse(explain_json(substring, plan_of(substring)));
  EXPECT_EQ(by_text["rules"][0]["texts"][0], json({{"text", "evil"}, {"at_start", false}, {"at_end", false}}));
  EXPECT_NE(explain_text(substring, plan_of(substring)).find("texts     evil\n"), std::string::npos);

  const auto type = rule_with("    record_type: TXT\n");
  EXPECT_NE(explain_text(type, plan_of(type)).find("types     TXT\n"), std::string::npos);

  const auto image = rule_with("    Image: /bin/a\n");
  EXPECT_EQ(json::parse(explain_json(image, plan_of(image)))["rules"][0]["reach"], "every_query");
  EXPECT_NE(explain_text(image, plan_of(image)).find("force every query out of the kernel 1\n"), std::string::npos);
}

TEST(CliExplain, SaysWhyARuleIsNotLoaded) {
  const auto broken = rule_with("    query|contians: evil\n");
  EXPECT_NE(explain_text(broken, plan_of(broken)).find("one.yml:7:11: one\n  refused   'contians' is not a modifier"),
            std::string::npos)
      << explain_text(broken, plan_of(broken));
  EXPECT_EQ(json::parse(explain_json(broken, plan_of(broken)))["not_loaded"].size(), 1u);
}

TEST(CliMatchEvents, ValuesOfJson) {
  const auto set = rule_with(
      "    query: evil.test\n    answers|contains|all: [1.1, 2.2]\n    Image: null\n    dns.answers.ttl: 5\n"
      "    rejected: 'true'\n");
  const auto plan = plan_of(set);
  const match::Verifier verifier(plan);
  const struct {
    const char* event;
    bool matches;
  } cases[] = {
      {R"({"query": "EVIL.test", "answers": ["1.1.1.1", null, "2.2.2.2"], "Image": null, "rejected": true,
           "dns": {"answers": {"ttl": 5}}})",
       true},
      {R"({"query": "EVIL.test", "answers": ["1.1.1.1"], "rejected": true, "dns": {"answers": {"ttl": 5}}})", false},
      {R"({"query": "EVIL.test", "answers": ["1.1.1.1", "2.2.2.2"], "Image": "", "rejected": true,
           "dns.answers.ttl": "5.0"})",
       false},
      {R"({"query": "EVIL.test", "answers": ["1.1.1.1", "2.2.2.2"], "rejected": "TRUE", "dns.answers.ttl": "5.0"})",
       true},
      {"{}", false},
  };
  for (const auto& c : cases) {
    const auto query = query_of_event(c.event);
    ASSERT_TRUE(query) << c.event;
    EXPECT_EQ(!verifier.matches(*query).empty(), c.matches) << c.event;
  }
  for (const std::string& bad :
       {std::string("x"), std::string("[]"), std::string("{\"a\": [[1]]}"), std::string("{} {}"),
        std::string(100'000, '['), "{\"a\":" + std::string(50'000, '{')}) {
    EXPECT_FALSE(query_of_event(bad)) << bad.substr(0, 40);
  }
}

const std::string counted_rule =
    "title: one\nname: one\nlevel: high\nlogsource: {category: dns}\ndetection: {s: {query: evil.test}, condition: "
    "s}\n---\n";

TEST(CliCheckJson, ACorrelationThatNeverFires) {
  const std::string gone =
      "title: two\nname: two\nlogsource: {category: dns}\ndetection: {s: {Hashes: x}, condition: s}\n---\n";
  const auto fires = [&](const std::string& correlation) {
    const auto set = sigma::parse_rules(
        counted_rule + gone + "title: c\ncorrelation: {timespan: 1m, " + correlation + "}\n", "c.yml");
    const auto plan = compile::make_plan(set.rules, {}, set.correlations);
    const auto report = json::parse(check_json(set, plan));
    // the rule blocks by itself unless a correlation takes its alerts
    EXPECT_EQ(report["rules"][0]["blocking"], report["rules"][2]["fires"] == "never") << report.dump();
    return report["rules"][2]["fires"].get<std::string>();
  };
  EXPECT_EQ(fires("type: temporal, rules: [one, two]"), "never");
  EXPECT_EQ(fires("type: event_count, rules: [one, two], condition: {gte: 2}"), "always");
  EXPECT_EQ(fires("type: event_count, rules: [one], condition: {lt: 1}"), "never");
}

TEST(CliMatchEvents, ANameIsAName) {
  lists::NameList list;
  list.id = "list/l";
  list.table.add(*presentation_to_wire("evil.test"), true, true);
  std::vector<lists::NameList> lists;
  lists.push_back(std::move(list));
  auto set = rule_with("    query: \xCE\xB2\xCF\x8C\xCE\xBB\xCE\xBF\xCF\x82.com\n");  // with a final sigma
  const auto plan = compile::make_plan(set.rules, std::move(lists));
  const match::Verifier verifier(plan);
  const struct {
    const char* event;
    const char* wire;  // in presentation form; empty: the name is text alone
    const char* hit;
  } cases[] = {
      {R"({"query": "A.Evil.test"})", "a.evil.test", "list/l"},
      {R"({"QueryName": "a.evil.test."})", "a.evil.test", "list/l"},
      {R"({"dns": {"question": {"name": "evil.test"}}, "record_type": "A"})", "evil.test", "list/l"},
      {R"({"query": ["evil.test"]})", "evil.test", "list/l"},
      {R"({"query": ["evil.test", "b.test"]})", "", ""},
      {R"({"query": null})", "", ""},
      {R"({"query": "x.test", "QueryName": "evil.test"})", "evil.test", "list/l"},
      {R"({"query": "βόλος.com"})", "xn--nxasmm1c.com", "11111111-2222-4333-8444-555555555555"},
      {R"({"query": "βόλος.evil.test"})", "xn--nxasmm1c.evil.test", "list/l"},
      {R"({"query": "xn--nxasmm1c.com"})", "xn--nxasmm1c.com", "11111111-2222-4333-8444-555555555555"},
      {R"({"query": "a*b\\zc"})", "", ""},
      {R"({"query": "a b.evil.test"})", "", ""},
      {R"({"query": "a\\032b.evil.test"})", "a\\032b.evil.test", "list/l"},
      {R"({"query": "not..a.name"})", "", ""},
  };
  for (const auto& c : cases) {
    const auto query = query_of_event(c.event);
    ASSERT_TRUE(query) << c.event;
    EXPECT_EQ(query->wire().empty() ? "" : wire_to_presentation(query->wire()), c.wire) << c.event;
    const auto hits = verifier.matches(*query);
    EXPECT_EQ(hits.empty() ? "" : std::string(hits[0].id()), c.hit) << c.event;
  }
  EXPECT_EQ(query_of_event(R"({"query": "A.Evil.test"})")->value(sigma::Field::query)->text, "A.Evil.test");
}

TEST(CliMatchEvents, OneLineAnEvent) {
  const auto set = rule_with("    query: evil.test\n");
  const auto plan = plan_of(set);
  const auto hits = match::Verifier(plan).matches(*query_of_event(R"({"query": "evil.test"})"));
  EXPECT_EQ(event_json(3, hits),
            "{\"event\":3,\"rules\":[{\"id\":\"11111111-2222-4333-8444-555555555555\",\"title\":\"one\","
            "\"level\":\"high\",\"file\":\"one.yml\"}]}\n");
  EXPECT_EQ(event_json(0, {}), "{\"event\":0,\"rules\":[]}\n");
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
