// match/verifier.h, match/evaluate.h, match/query.h: verdicts and what they report.
#include "match/verifier.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/dns_name.h"
#include "lists/plain.h"
#include "match/expansion.h"
#include "match/reference.h"
#include "sigma_rule_text.h"

namespace nslookout::match {
namespace {

using sigma::rule_with_detection;
using sigma::rule_with_test;

struct Given {
  const char* field;
  const char* value;
};

Query query_of(const std::string& name, const std::vector<Given>& fields = {}) {
  Query query;
  if (!name.empty()) {
    Result<Query> made = Query::of_name(name);
    EXPECT_TRUE(made) << name;
    query = std::move(made.value());
  }
  for (const Given& given : fields) query.set_named(given.field, given.value);
  return query;
}

// The verdict of the first rule, once by the verifier and once by the reference.
bool verdict(const compile::Plan& plan, const Query& query) {
  const bool by_verifier = !Verifier(plan).matches(query).empty();
  const bool by_reference = !reference_matches(plan.rules(), plan.lists(), query).rules.empty();
  EXPECT_EQ(by_verifier, by_reference);
  return by_verifier;
}

TEST(Verifier, TestsOfTheName) {
  const struct {
    const char* test;
    const char* name;
    bool expected;
  } cases[] = {
      {"query: sfrclak.com", "sfrclak.com", true},
      {"query: sfrclak.com", "SfRcLaK.cOm", true},
      {"query: CAT1.Example.TEST", "cat1.example.test", true},
      {"query: sfrclak.com", "www.sfrclak.com", false},
      {"query: sfrclak.com", "sfrclak.com.evil.test", false},
      {"query: sfrclak.com.", "sfrclak.com", true},
      {"query: sfrclak.com", "sfrclak.com.", true},
      {"query|endswith: .evil.test", "a.evil.test", true},
      {"query|endswith: .evil.test", "A.B.EVIL.test", true},
      {"query|endswith: .evil.test", "evil.test", false},
      {"query|endswith: .evil.test", "notevil.test", false},
      {"query|endswith: evil.test", "notevil.test", true},
      {"query|endswith: evil.test", "evil.test", true},
      {"query|contains: vil", "a.evil.test", true},
      {"query|startswith: a.", "a.evil.test", true},
      {"query|startswith: evil", "a.evil.test", false},
      {"query: '*.evil.*'", "a.evil.test", true},
      {"query: a?c.test", "abc.test", true},
      {"query: a?c.test", "ac.test", false},
      {"query: 'ab*ba.test'", "aba.test", false},
      {"query: '*a?c.test'", "axayc.test", true},
      {"query|contains|all: [seed, .nkn.org]", "seed1.nkn.org", true},
      {"query|contains|all: [seed, .nkn.org]", "x.nkn.org", false},
      {"query|neq: evil.test", "evil.test", false},
      {"query|neq: evil.test", "good.test", true},
      {"query|contains|cased: EviL", "x.EviL.test", true},
      {"query|contains|cased: EviL", "x.evil.test", false},
      {"query: b\xC3\xBC"
       "cher.test",
       "xn--bcher-kva.test", true},
      {"query: \xCE\xB2\xCF\x8C\xCE\xBB\xCE\xBF\xCF\x82.com", "xn--nxasmm1c.com", true},  // a final sigma is a letter
      {"query|endswith: .B\xC3\x9C"
       "CHER.test",
       "a.xn--bcher-kva.test", true},
      {"query: _acme-challenge.x.test", "_acme-challenge.X.test", true},
      {"query: '*'", ".", true},
      {"query: .", ".", true},
      // Escapes of presentation form are one character; a dot inside a label is no boundary.
      {"query|endswith: .b", "a\\.b", false},
      {"query|endswith: .b", "a.b", true},
      {"query: 'a\\.b'", "a\\.b", true},
      {"query: 'a?b'", "a\\.b", true},
      {"query: 'q?x.test'", "q\\000x.test", true},
      {"query|contains: '00'", "q\\000x.test", false},
      {"query|endswith: .metric.test", "q\\000en.metric.test", true},
      {"query: 'a\\\\\\\\b.test'", "a\\\\b.test", true},
  };
  for (const auto& c : cases) {
    const compile::Plan plan = compile::make_plan(sigma::rules_with_test(c.test), {});
    EXPECT_EQ(verdict(plan, query_of(c.name)), c.expected) << c.test << " on " << c.name;
  }
}

TEST(Verifier, TestsOfOtherFields) {
  const struct {
    const char* test;
    std::vector<Given> fields;
    bool expected;
  } cases[] = {
      {"Image|endswith: /curl", {{"Image", "/usr/bin/CURL"}}, true},
      {"Image|endswith: /curl", {{"process.executable", "/usr/bin/curl"}}, true},
      {"Image|endswith: /curl", {}, false},
      {"Image: null", {}, true},
      {"Image: null", {{"Image", ""}}, false},
      {"Image: ''", {{"Image", ""}}, true},
      {"Image: ''", {}, false},
      {"Image: '*'", {}, false},
      {"Image|neq: /bin/a", {}, true},
      {"ProcessId: 42", {{"ProcessId", "42"}}, true},
      {"ProcessId: 42", {{"ProcessId", "42.0"}}, true},
      {"ProcessId: 42", {{"ProcessId", "420"}}, false},
      {"ProcessId: 42", {{"ProcessId", "x"}}, false},
      {"ProcessId: '042'", {{"ProcessId", "42"}}, false},
      {"ProcessId|contains: 42", {{"ProcessId", "1421"}}, true},
      {"User: no", {{"User", "NO"}}, true},
      {"CommandLine|contains: 'foo*bar'", {{"CommandLine", "xx foo -- bar yy"}}, true},
      {"CommandLine|contains: 'foo*bar'", {{"CommandLine", "bar foo"}}, false},
      {"CommandLine: 'a?c'",
       {{"CommandLine",
         "a\xC3\xA9"
         "c"}},
       true},
      {"CommandLine: 'a?c'", {{"CommandLine", "a\\.c"}}, false},
      {"CommandLine: 'a\\b'", {{"CommandLine", "A\\b"}}, true},
      {"record_type: TXT", {{"record_type", "txt"}}, true},
      {"record_type: TYPE16", {{"record_type", "TXT"}}, true},
      {"record_type: 16", {{"record_type", "TXT"}}, true},
      {"record_type: 16", {{"record_type", "A"}}, false},
      {"record_type: 'NULL'", {{"record_type", "NULL"}}, true},
      {"record_type: NULL", {{"record_type", "NULL"}}, false},
      {"answers: [127.0.0.1, 0.0.0.0]", {{"answers", "10.0.0.1"}, {"answers", "0.0.0.0"}}, true},
      {"answers: 127.0.0.1", {{"answers", "10.0.0.1"}}, false},
      {"answers: null", {}, true},
      {"answers|contains|all: [a, b]", {{"answers", "xa"}, {"answers", "xb"}}, true},
      {"answers|neq: b", {{"answers", "a"}, {"answers", "b"}}, false},
      {"answers: '::ffff:10.1.2.3'", {{"answers", "10.1.2.3"}}, true},
      {"answers: 10.1.2.3", {{"answers", "::FFFF:10.1.2.3"}}, true},
      {"answers: 2001:db8::1", {{"answers", "2001:0DB8:0::1"}}, true},
      {"answers|cidr: 10.0.0.0/8", {{"answers", "cdn.10.test"}, {"answers", "10.9.9.9"}}, true},
      {"answers|cidr: 10.0.0.0/8", {{"answers", "110.1.2.3"}}, false},
      {"answers|cidr: 10.0.0.0/8", {{"answers", "::ffff:10.1.2.3"}}, true},
      {"answers|cidr: '::ffff:10.0.0.0/104'", {{"answers", "10.1.2.3"}}, true},
      {"answers|cidr: '::/0'", {{"answers", "10.1.2.3"}}, false},
      {"answers|cidr: 0.0.0.0/0", {{"answers", "10.1.2.3"}}, true},
      {"answers|cidr: 10.1.2.3", {{"answers", "10.1.2.3"}}, true},
      {"answers|cidr: 10.1.2.3", {{"answers", "10.1.2.4"}}, false},
      {"answers|cidr: ['192.0.2.0/24', '2001:db8::/33']", {{"answers", "2001:db8:7fff::1"}}, true},
      {"answers|cidr: ['192.0.2.0/24', '2001:db8::/33']", {{"answers", "2001:db8:8000::1"}}, false},
      {"rcode: NXDOMAIN", {{"rcode", "nxdomain"}}, true},
      {"rcode: 3", {{"rcode_name", "NXDOMAIN"}}, true},
      {"QueryStatus: '0'", {{"rcode", "NOERROR"}}, true},
      {"rcode|gt: 0", {{"rcode", "SERVFAIL"}}, true},
      {"rcode|gt: 2", {{"rcode", "SERVFAIL"}}, false},
      {"qtype: 16", {{"qtype", "16"}}, true},
      {"qtype: '16'", {{"qtype", "TXT"}}, true},
      {"qtype: '16'", {{"qtype", "A"}}, false},
      {"qtype_name: TXT", {{"qtype", "16"}}, true},
      {"record_type|gt: 100", {{"record_type", "TYPE65280"}}, true},
      {"Image|exists: true", {{"Image", ""}}, true},
      {"Image|exists: true", {}, false},
      {"Image|exists: false", {}, true},
      {"ProcessId|gt: 70", {{"ProcessId", "71"}}, true},
      {"ProcessId|gt: 70", {{"ProcessId", "70"}}, false},
      {"ProcessId|gte: 70", {{"ProcessId", "70"}}, true},
      {"ProcessId|lt: 70", {{"ProcessId", "69.5"}}, true},
      {"ProcessId|lte: 70", {{"ProcessId", "70.5"}}, false},
      {"ProcessId|lt: 70", {{"ProcessId", "abc"}}, false},
      {"ProcessId|lt: 70", {}, false},
      {"ProcessId|gt|neq: 70", {}, true},
      {"CommandLine|re: 'a.c'", {{"CommandLine", "xxabcxx"}}, true},
      {"CommandLine|re: 'a.c'", {{"CommandLine", "ABC"}}, false},
      {"CommandLine|re|i: 'a.c'", {{"CommandLine", "ABC"}}, true},
      {"CommandLine|re|ignorecase|dotall: 'a.c'", {{"CommandLine", "A\nC"}}, true},
      {"CommandLine|re: 'a.c'", {{"CommandLine", "a\nc"}}, false},
      {"CommandLine|re: '^b'", {{"CommandLine", "a\nb"}}, false},
      {"CommandLine|re|m: '^b'", {{"CommandLine", "a\nb"}}, true},
      {"CommandLine|re: '\\*'", {{"CommandLine", "a*b"}}, true},
      {"CommandLine|re|contains: '^a'", {{"CommandLine", "ab"}}, true},
      {"CommandLine|re|all: [a, b]", {{"CommandLine", "xab"}}, true},
      {"CommandLine|re|all: [a, c]", {{"CommandLine", "xab"}}, false},
      {"CommandLine|re|neq: a", {{"CommandLine", "b"}}, true},
      {"CommandLine|fieldref: User", {{"CommandLine", "ROOT"}, {"User", "root"}}, true},
      {"CommandLine|fieldref|cased: User", {{"CommandLine", "ROOT"}, {"User", "root"}}, false},
      {"CommandLine|fieldref: User", {{"CommandLine", "*"}, {"User", "root"}}, false},
      {"User|fieldref: CommandLine", {{"CommandLine", "*"}, {"User", "root"}}, false},
      {"CommandLine|fieldref|contains: User", {{"CommandLine", "su root -c"}, {"User", "root"}}, true},
      {"CommandLine|fieldref|startswith: User", {{"CommandLine", "su root"}, {"User", "root"}}, false},
      {"CommandLine|fieldref|neq: User", {{"CommandLine", "x"}}, true},
      {"CommandLine|fieldref: User", {}, false},
      {"CommandLine|windash|contains: ' -s'", {{"CommandLine", "cmd /S"}}, true},
      {"CommandLine|base64offset|contains: sfrclak.com", {{"CommandLine", "echo eHhzZnJjbGFrLmNvbQ=="}}, true},
      {"CommandLine|wide|base64|contains: sfr", {{"CommandLine", "cwBmAHIA"}}, true},
      // Unicode simple folding, one code point for one.
      {"CommandLine: '\xC3\x84RGER'", {{"CommandLine", "\xC3\xA4rger"}}, true},
      {"CommandLine: '\xCE\xA3'", {{"CommandLine", "\xCF\x82"}}, true},
      {"CommandLine: 'stra\xC3\x9F"
       "e'",
       {{"CommandLine", "STRASSE"}},
       false},
      {"CommandLine: I", {{"CommandLine", "\xC4\xB1"}}, false},
      {"UtcTime|hour: 23", {{"UtcTime", "2026-03-31T23:59:58.123Z"}}, true},
      {"UtcTime|minute|gte: 59", {{"UtcTime", "2026-03-31 23:59:58"}}, true},
      {"UtcTime|day: 31", {{"UtcTime", "2026-03-31T23:59:58Z"}}, true},
      {"UtcTime|day: 1", {{"UtcTime", "2026-03-31T23:59:58-01:00"}}, true},
      {"UtcTime|month: 3", {{"UtcTime", "2026-03-31T23:59:58Z"}}, true},
      {"UtcTime|year: 2026", {{"ts", "1774999998.5"}}, true},
      {"UtcTime|week: 14", {{"UtcTime", "2026-03-31T23:59:58Z"}}, true},
      {"UtcTime|week: 53", {{"UtcTime", "2027-01-01T00:00:00Z"}}, true},
      {"UtcTime|hour: 0", {{"UtcTime", "yesterday"}}, false},
      {"UtcTime|hour: 0", {}, false},
      {"'|all': [curl, sfrclak]", {{"CommandLine", "CURL x"}, {"User", "sfrclak"}}, true},
      {"'|all': [curl, sfrclak]", {{"CommandLine", "CURL x"}}, false},
      {"'': 'cu*l'", {{"CommandLine", "a curl"}}, true},
      {"'|re': '^curl'", {{"CommandLine", "a curl"}}, false},
      {"'|startswith': cur", {{"User", "curly"}}, true},
  };
  for (const auto& c : cases) {
    const compile::Plan plan = compile::make_plan(sigma::parse_rules(rule_with_test(c.test), "t.yml").rules, {});
    ASSERT_EQ(plan.rules().size(), 1u) << c.test;
    EXPECT_EQ(verdict(plan, query_of("any.test", c.fields)), c.expected) << c.test;
    EXPECT_EQ(verdict(plan, query_of("", c.fields)), c.expected) << c.test << " without a name";
  }
}

TEST(Verifier, FieldsThatFollowFromTheName) {
  const struct {
    const char* test;
    const char* name;
    bool expected;
  } cases[] = {
      {"query_length: 9", "EVIL.test", true},
      {"query_length|gt: 8", "evil.test", true},
      {"query_length|gt: 9", "evil.test", false},
      {"query_length: 3", "q\\000x", true},
      {"query_length|exists: true", "evil.test", true},
      {"query_etld_plus_one: evil.co.uk", "a.b.Evil.CO.UK", true},
      {"query_etld_plus_one: evil.co.uk", "evil.co.uk", true},
      {"query_etld_plus_one: co.uk", "evil.co.uk", false},
      {"query_etld_plus_one: null", "co.uk", true},
      {"query_etld_plus_one|exists: true", "co.uk", false},
      {"parent_domain: b.evil.test", "a.b.evil.test", true},
      {"parent_domain: evil.test", "a.b.evil.test", false},
      {"parent_domain: 'b.test'", "a\\.b.test", false},
      {"parent_domain: null", "test", true},
      {"subdomain: a.b", "a.b.evil.com", true},
      {"subdomain: null", "evil.com", true},
      {"query|fieldref|endswith: parent_domain", "a.evil.test", true},
      {"query|fieldref: query_etld_plus_one", "evil.com", true},
      {"query|fieldref: query_etld_plus_one", "www.evil.com", false},
  };
  for (const auto& c : cases) {
    const compile::Plan plan = compile::make_plan(sigma::rules_with_test(c.test), {});
    EXPECT_EQ(verdict(plan, query_of(c.name)), c.expected) << c.test << " on " << c.name;
  }
}

TEST(Verifier, KeywordsAreSearchedInEveryField) {
  const compile::Plan plan =
      compile::make_plan(sigma::rules_of(rule_with_detection(
                             "  words: [sfrclak, 'a*z']\n  mixed:\n    - word\n    - User: root\n  condition: "
                             "words or mixed\n")),
                         {});
  EXPECT_TRUE(verdict(plan, query_of("www.SFRCLAK.com")));
  EXPECT_TRUE(verdict(plan, query_of("x.test", {{"note", "see SFRclak"}})));
  EXPECT_TRUE(verdict(plan, query_of("x.test", {{"Image", "/bin/a-to-z"}})));
  EXPECT_TRUE(verdict(plan, query_of("x.test", {{"User", "root"}})));
  EXPECT_TRUE(verdict(plan, query_of("x.test", {{"Image", "/words"}})));
  EXPECT_FALSE(verdict(plan, query_of("x.test", {{"Image", "/bin/b"}})));
}

TEST(Verifier, TheRecordTypeByNumber) {
  const compile::Plan plan = compile::make_plan(sigma::rules_with_test("record_type: [HTTPS, 65280]"), {});
  for (const auto& [number, expected] : {std::pair{65, true}, {65280, true}, {1, false}}) {
    Query query = query_of("any.test");
    query.set_record_type(static_cast<std::uint16_t>(number));
    EXPECT_EQ(verdict(plan, query), expected) << number;
  }
}

TEST(Verifier, ReportsTheTestsThatMadeTheRuleTrue) {
  const compile::Plan plan =
      compile::make_plan(sigma::rules_of(rule_with_detection(
                             "  name:\n    QueryName: [a.test, Evil.Test]\n  proc:\n    Image|endswith: /node\n"
                             "  skip:\n    User: root\n  condition: (name or proc) and proc and not skip\n")),
                         {});
  const std::vector<Hit> hits = Verifier(plan).matches(query_of("evil.test", {{"Image", "/usr/bin/node"}}));
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].matched, (std::vector<MatchedField>{{"QueryName", "Evil.Test"}, {"Image", "/node"}}));
  EXPECT_EQ(hits[0].title(), "t");
}

TEST(Verifier, RulesAndListsHitTogetherInTheirOrder) {
  std::vector<lists::NameList> lists(2);
  lists[0].id = "list/exact.txt";
  lists[1].id = "list/suffix.txt";
  ASSERT_EQ(lists::parse_plain("evil.test\n", lists::Scope::exact, lists[0].table).bad_lines, 0u);
  ASSERT_EQ(lists::parse_plain("test\n", lists::Scope::suffix, lists[1].table).bad_lines, 0u);
  const compile::Plan plan = compile::make_plan(
      sigma::rules_of("id: one\n" + rule_with_test("query: evil.test") + "---\nid: two\n" +
                      rule_with_test("query|contains: evil") + "---\nid: three\n" + rule_with_test("query: good.test")),
      std::move(lists));
  const Verifier verifier(plan);
  std::vector<std::string> ids;
  for (const Hit& hit : verifier.matches(Query::of_wire(presentation_to_wire("EVIL.test").value())))
    ids.emplace_back(hit.id());
  EXPECT_EQ(ids, (std::vector<std::string>{"one", "two", "list/exact.txt", "list/suffix.txt"}));
  const std::vector<Hit> below = verifier.matches(query_of("www.evil.test"));
  ASSERT_EQ(below.size(), 2u);
  EXPECT_EQ(below[1].matched, (std::vector<MatchedField>{{"query", "test"}}));
  EXPECT_EQ(below[1].level(), "high");
  EXPECT_TRUE(verifier.matches(query_of("other.example")).empty());
}

TEST(Verifier, DeepAndLongNames) {
  std::string deepest = "a";
  for (int i = 1; i < 127; ++i) deepest += ".a";
  std::string arpa;
  for (int i = 0; i < 32; ++i) arpa += std::string(1, "0123456789abcdef"[i % 16]) + ".";
  arpa += "ip6.arpa";
  for (const std::string& name : {deepest, arpa}) {
    const compile::Plan plan = compile::make_plan(sigma::rules_with_test("query: " + name), {});
    EXPECT_TRUE(verdict(plan, query_of(ascii_lower(name))));
    EXPECT_FALSE(verdict(plan, query_of(name.substr(2))));
  }
}

TEST(Query, NamesTypedByPeople) {
  EXPECT_EQ(Query::of_name("b\xC3\xBC"
                           "cher.test.")
                .value()
                .value(sigma::Field::query)
                ->text,
            "xn--bcher-kva.test");
  EXPECT_EQ(Query::of_name("My Printer.test").value().value(sigma::Field::query)->text, "My\\032Printer.test");
  EXPECT_FALSE(Query::of_name("a..b"));
  EXPECT_FALSE(Query::of_name(""));
}

TEST(Query, TheSenderIsDescribedOnceAndOnlyForARuleThatAsks) {
  const struct {
    const char* test;
    const char* name;
    int described;
    bool expected;
  } cases[] = {
      {"query: sfrclak.com", "sfrclak.com", 0, true},
      {"query|contains: frcla", "a.test", 0, false},
      {"query|contains: frcla\n    record_type: A", "sfrclak.com", 0, true},
      {"query|contains: frcla\n    Image|endswith: /curl", "a.test", 0, false},
      {"query|contains: frcla\n    Image|endswith: /curl", "sfrclak.com", 1, true},
      {"query|contains: frcla\n    Image|endswith: /CURL\n    User: alice", "sfrclak.com", 1, true},
      {"query|contains: frcla\n    Image|endswith: /wget\n    User: alice", "sfrclak.com", 1, false},
      {"Image|endswith: /curl\n    query|contains: frcla", "a.test", 0, false},
      {"User: alice\n    Image|endswith: /curl\n    record_type: TXT", "sfrclak.com", 0, false},
      {"User: alice\n    record_type: A", "sfrclak.com", 1, true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.test) + " of " + c.name);
    const compile::Plan plan = compile::make_plan(sigma::rules_with_test(c.test), {});
    Query query = query_of(c.name);
    query.set_record_type(1);
    int described = 0;
    query.describe_with([&described] {
      ++described;
      return Query::Circumstances{{sigma::Field::image, "/usr/bin/curl"}, {sigma::Field::user, "alice"}};
    });
    EXPECT_EQ(!Verifier(plan).matches(query).empty(), c.expected);
    EXPECT_EQ(described, c.described);
  }
}

// The order in which tests are written decides nothing, whatever is looked at first.
TEST(Query, TheSenderIsDescribedOnlyWhereCheaperTestsAllowIt) {
  const struct {
    const char* condition;
    const char* name;
    int described;
    bool expected;
  } cases[] = {
      {"curl and name", "a.test", 0, false},
      {"curl and name", "evil.test", 1, true},
      {"curl or name", "evil.test", 1, true},
      {"wget or name", "evil.test", 1, true},
      {"not curl and name", "a.test", 0, false},
      {"not curl and name", "evil.test", 1, false},
      {"not (curl or name)", "evil.test", 0, false},
      {"not (wget or name)", "a.test", 1, true},
      {"not (curl and not name)", "evil.test", 1, true},
      {"1 of *", "a.test", 1, true},
      {"all of *", "a.test", 0, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.condition) + " of " + c.name);
    const std::string selections =
        "  curl:\n    Image|endswith: /curl\n  wget:\n    Image|endswith: /wget\n  name:\n    query: evil.test\n";
    const auto set =
        sigma::parse_rules(rule_with_detection(selections + "  condition: " + c.condition + "\n"), "t.yml");
    const sigma::Rule& rule = set.rules.at(0);
    int described = 0;
    Query query = query_of(c.name);
    query.describe_with([&described] {
      ++described;
      return Query::Circumstances{{sigma::Field::image, "/usr/bin/curl"}};
    });
    EXPECT_EQ(evaluate(rule, query).has_value(), c.expected);
    EXPECT_EQ(described, c.described);
  }
}

// A file on Linux may have a backslash in its name; no rule for Windows means it.
TEST(Query, APathThatTheSensorReportsHasNoBackslash) {
  const compile::Plan plan = compile::make_plan(sigma::rules_with_test("Image|endswith: \\curl.exe"), {});
  EXPECT_EQ(plan.rule_plans()[0].reach, compile::Reach::never);
  Query reported = query_of("a.test");
  reported.describe_with([] { return Query::Circumstances{{sigma::Field::image, "/tmp/\\curl.exe"}}; });
  EXPECT_TRUE(Verifier(plan).matches(reported).empty());
  EXPECT_FALSE(evaluate(plan.rules()[0], reported)) << "and not for want of a candidate";
  EXPECT_EQ(reported.value(sigma::Field::image)->text, "/tmp/\uFFFDcurl.exe");
  EXPECT_TRUE(verdict(plan, query_of("a.test", {{"Image", "C:\\curl.exe"}}))) << "an event from elsewhere";
}

TEST(Query, ANameIsAlsoReadWithoutItsSearchSuffix) {
  const std::vector<SearchSuffix> suffixes = {parse_search_suffix("*.svc.test").value(),
                                              parse_search_suffix("svc.test").value()};
  const struct {
    const char* detection;
    const char* name;
    bool expected;
  } cases[] = {
      {"query: evil.com", "evil.com.ns.svc.test", true},
      {"query: evil.com", "evil.com.svc.test", true},
      {"query: evil.com", "evil.com.other.test", false},
      {"query: evil.com", "x.evil.com.ns.svc.test", false},
      {"query|endswith: .evil.com", "x.evil.com.ns.svc.test", true},
      {"query: evil.com.ns.svc.test", "evil.com.ns.svc.test", true},
      {"query_etld_plus_one: evil.com", "x.evil.com.ns.svc.test", true},
      {"query_length: 8", "evil.com.ns.svc.test", true},
      {"query_length|gt: 15", "evil.com.ns.svc.test", true},
      {"query|re: ^evil[.]com$", "evil.com.ns.svc.test", true},
      {"query|endswith: vil", "evil.svc.test", true},
      {"query: evil.com\n  f:\n    query|endswith: .svc.test\n  condition: s and not f", "evil.com.svc.test", false},
      {"query|contains: evil\n  f:\n    query: evil.com\n  condition: s and not f", "evil.com.svc.test", true},
      {"query|contains: evil\n  f:\n    query: evil.com\n  condition: s and not f", "evil.com", false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.detection) + " of " + c.name);
    std::string detection = std::string("  s:\n    ") + c.detection + "\n";
    if (detection.find("condition") == std::string::npos) detection += "  condition: s\n";
    compile::Plan plan = compile::make_plan(sigma::parse_rules(rule_with_detection(detection), "t.yml").rules, {});
    plan.set_search_suffixes(suffixes);
    Query query = query_of(c.name);
    query.read_also(readings_of(query.wire(), suffixes));
    EXPECT_EQ(verdict(plan, query), c.expected);
    const compile::KernelTables tables = compile::build_kernel_tables(plan.predicates(), {1, 2});
    EXPECT_TRUE(!c.expected || tables.lets_pass(query.wire(), 1));
  }
}

TEST(Query, TheLookupOfAShorterNameIsToldFromOneThatIsReportedForItself) {
  const std::vector<SearchSuffix> suffixes = {parse_search_suffix("svc.test").value()};
  lists::NameList list;
  list.id = "list/l";
  ASSERT_EQ(list.table.add(presentation_to_wire("evil.org").value(), true, false), lists::NameTable::Added::yes);
  std::vector<lists::NameList> lists;
  lists.push_back(std::move(list));
  const compile::Plan plan =
      compile::make_plan(sigma::rules_with_test("query|endswith: ['evil.com', '.evil.svc.test']"), std::move(lists));
  const struct {
    const char* name;
    const char* expanded_from;
  } cases[] = {{"evil.com.svc.test", "evil.com"},
               {"evil.org.svc.test", "evil.org"},
               {"evil.com", ""},
               {"www.evil.svc.test", ""}};
  for (const auto& c : cases) {
    Query query = query_of(c.name);
    const std::vector<NameReading> readings = readings_of(query.wire(), suffixes);
    query.read_also(readings);
    const std::vector<Hit> hits = Verifier(plan).matches(query);
    EXPECT_EQ(hits.size(), 1U) << c.name;
    const NameReading* reading = expansion_of(query, readings, hits);
    EXPECT_EQ(reading == nullptr ? "" : wire_to_presentation(reading->wire), c.expanded_from) << c.name;
  }
}

TEST(Verifier, WhatIsKnownBeforeTheResponse) {
  constexpr auto yes = EarlyVerdict::true_;
  constexpr auto open = EarlyVerdict::open;
  constexpr auto no = EarlyVerdict::false_;
  const std::string selections =
      "  name:\n    query: evil.test\n  other:\n    query: other.test\n  answer:\n    answer: 192.0.2.1\n"
      "  code:\n    rcode: NXDOMAIN\n  none:\n    answer: null\n  same:\n    query|fieldref: answer\n"
      "  word:\n    - evil\n  words:\n    '|all':\n      - evil\n      - x\n";
  const struct {
    const char* condition;
    EarlyVerdict expected;
  } cases[] = {
      {"name", yes},
      {"other", no},
      {"answer", open},
      {"none", open},
      {"same", open},
      {"name and answer", open},
      {"other and answer", no},
      {"name or answer", yes},
      {"other or code", open},
      {"name and not answer", open},
      {"other and not answer", no},
      {"not (other and answer)", yes},
      {"not (name and answer)", open},
      {"not answer or name", yes},
      {"word", yes},
      {"not word", no},
      {"words", open},
  };
  for (const auto& c : cases) {
    const auto rules = sigma::rules_of(rule_with_detection(selections + "  condition: " + c.condition + "\n"));
    EXPECT_EQ(evaluate_before_response(rules.at(0), query_of("evil.test")), c.expected) << c.condition;
  }
}

}  // namespace
}  // namespace nslookout::match
