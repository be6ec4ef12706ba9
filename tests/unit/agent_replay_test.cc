// agent/replay: a capture, rules and lists -> events.
#include <gtest/gtest.h>

#include "agent/replay.h"
#include "capture_packets.h"
#include "cli/replay_report.h"
#include "sink_fixture.h"

namespace nslookout::agent {
namespace {

using namespace nslookout::capture;

class ReplayTest : public sink::SinkTest {
 protected:
  std::string write(std::string_view name, std::string_view contents) {
    std::ofstream(path(name), std::ios::binary) << contents;
    return path(name);
  }
  std::string capture(const Bytes& contents) {
    return write("lookups.pcap", {reinterpret_cast<const char*>(contents.data()), contents.size()});
  }

  Result<ReplayOutcome> replay(ReplayOptions options) {
    std::filesystem::remove(path("events"));
    options.outputs = {"jsonl:" + path("events")};
    return agent::replay(options);
  }
  std::vector<nlohmann::json> events() {
    std::vector<nlohmann::json> found;
    std::istringstream lines(contents(path("events")));
    for (std::string line; std::getline(lines, line);) found.push_back(nlohmann::json::parse(line));
    return found;
  }
  // "kind name" of each event.
  std::vector<std::string> kinds() {
    std::vector<std::string> found;
    for (const auto& event : events()) {
      found.push_back(event["kind"].get<std::string>().substr(5) + " " + event["dns"]["query"].get<std::string>());
    }
    return found;
  }
};

Bytes lookup(std::string_view name, std::uint16_t type = 1) {
  return pcap_packet(ethernet(ipv4(udp(query(name, type)))));
}

constexpr std::string_view rule = R"(title: Evil
id: 00000000-0000-4000-8000-000000000001
status: test
level: high
logsource: {category: dns}
detection:
  name: {query: evil.test}
  condition: name
)";

constexpr std::string_view negation = R"(title: Not good
id: 00000000-0000-4000-8000-000000000002
status: test
level: low
logsource: {category: dns}
detection:
  name: {query: good.test}
  condition: not name
)";

TEST_F(ReplayTest, AnEventHasWhatThePacketTellsAndNothingElse) {
  const std::string file = capture(pcap_header() + lookup("Evil.Test", 28));
  const auto outcome = replay({.file = file, .rules = {write("rule.yml", rule)}});
  ASSERT_TRUE(outcome) << outcome.error().message;
  ASSERT_EQ(events().size(), 1u);
  nlohmann::json event = events()[0];
  EXPECT_EQ(event["dns"]["query_wire"], "BEV2aWwEVGVzdAA=");
  event["dns"].erase("query_wire");
  EXPECT_EQ(event["event_id"].get<std::string>().size(), 36u);
  event.erase("event_id");
  event["sensor"].erase("version");
  event["rules"][0].erase("file");
  EXPECT_EQ(event,
            nlohmann::json::parse(R"({"schema_version": 1, "time": "2023-11-14T22:13:20.000005Z", "sequence": "1",
    "alert": true, "kind": "KIND_MATCH", "action": "ACTION_AUDITED",
    "dns": {"query": "evil.test", "record_type": "AAAA", "record_type_id": 28, "id": 4660, "transport": "udp",
            "server": {"ip": "10.0.0.53", "port": 53}, "source": {"ip": "10.0.0.1", "port": 40000}},
    "rules": [{"id": "00000000-0000-4000-8000-000000000001", "title": "Evil", "level": "high",
               "matched": [{"field": "query", "value": "evil.test"}]}],
    "sensor": {"backend": "replay", "mode": "audit"}})"));
}

TEST_F(ReplayTest, ANameWithASearchSuffixIsALookupOfTheNameBeforeIt) {
  const std::string file = capture(pcap_header() + lookup("evil.test.ns.svc.lan") + lookup("evil.test.other.lan"));
  const std::string evil = write("rule.yml", rule);
  ASSERT_TRUE(replay({.file = file, .rules = {evil}, .rule_loading = {.search_suffixes = {"*.svc.lan"}}}));
  ASSERT_EQ(kinds(), (std::vector<std::string>{"MATCH evil.test.ns.svc.lan"}));
  EXPECT_EQ(events()[0]["dns"]["expanded_from"], "evil.test");
  EXPECT_EQ(events()[0]["dns"]["search_suffix"], "ns.svc.lan");
  ASSERT_TRUE(replay({.file = file, .rules = {evil}}));
  EXPECT_EQ(kinds(), (std::vector<std::string>{}));
  const auto refused = replay({.file = file, .rules = {evil}, .rule_loading = {.search_suffixes = {"a..b"}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorClass::usage);
}

TEST_F(ReplayTest, MoreNamesThanTheTablesAreMadeForAreRefused) {
  const std::string file = capture(pcap_header() + lookup("evil.test"));
  const std::vector<std::string> rules = {write("rule.yml", rule)};
  const std::vector<std::string> lists = {"exact:" + write("list.txt", "a.test\nb.test\n")};
  EXPECT_TRUE(replay({.file = file, .rules = rules, .rule_loading = {.max_names = 3}, .lists = lists}));
  const auto refused = replay({.file = file, .rules = rules, .rule_loading = {.max_names = 2}, .lists = lists});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorClass::invalid);
  EXPECT_NE(refused.error().message.find("the lists have 2 names and the rules 1"), std::string::npos);
  EXPECT_NE(refused.error().message.find("--max-names 3"), std::string::npos) << refused.error().message;
}

TEST_F(ReplayTest, WhatIsReported) {
  const std::string file = capture(pcap_header() + lookup("evil.test") + lookup("good.test") + lookup("good.test", 28) +
                                   lookup("evil.test") + lookup("x.evil.test"));
  const std::string evil = write("rule.yml", rule);
  const std::string not_good = write("negation.yml", negation);
  const std::string list = write("list.txt", "evil.test\n");
  struct Case {
    ReplayOptions options;
    std::vector<std::string> events;
  };
  const std::vector<Case> cases = {
      {{.rules = {evil}}, {"MATCH evil.test", "MATCH evil.test"}},
      {{.lists = {"suffix:" + list}}, {"MATCH evil.test", "MATCH evil.test", "MATCH x.evil.test"}},
      {{.lists = {"exact:" + list}}, {"MATCH evil.test", "MATCH evil.test"}},
      {{.rules = {not_good}}, {"MATCH evil.test", "MATCH evil.test", "MATCH x.evil.test"}},
      {{.observe = "all"},
       {"QUERY evil.test", "QUERY good.test", "QUERY good.test", "QUERY evil.test", "QUERY x.evil.test"}},
      {{.observe = "unique"}, {"QUERY evil.test", "QUERY good.test", "QUERY x.evil.test"}},
      {{.rules = {evil}, .observe = "unique"},
       {"MATCH evil.test", "QUERY good.test", "MATCH evil.test", "QUERY x.evil.test"}},
      {{.observe = "all", .ports = {5353}}, {}},
  };
  for (Case test : cases) {
    SCOPED_TRACE(testing::PrintToString(test.events));
    test.options.file = file;
    const auto outcome = replay(test.options);
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(kinds(), test.events);
    EXPECT_EQ(outcome->events, test.events.size());
  }
}

// As in the kernel: what hardly is DNS is reported for the sake of a listed name alone.
TEST_F(ReplayTest, AnOddMessageIsReportedForAListedName) {
  const auto odd = [](std::string_view name) {
    Bytes dns = query(name);
    dns[11] = 200;
    return pcap_packet(ethernet(ipv4(udp(dns))));
  };
  const std::string file = capture(pcap_header() + odd("evil.test") + odd("other.test"));
  const auto outcome =
      replay({.file = file, .rules = {write("a.yml", rule), write("b.yml", negation)}, .observe = "all"});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(kinds(), std::vector<std::string>{"MATCH evil.test"});
  EXPECT_EQ(outcome->counts.queries, 1u);
  EXPECT_EQ(outcome->counts.of(Skip::not_query), 1u);
}

TEST_F(ReplayTest, VerdictAndSummary) {
  const Bytes good = pcap_header() + lookup("a.test") + lookup("b.test");
  struct Case {
    Bytes contents;
    std::size_t events;
    std::string verdict;  // the exit code and a part of the error, or empty
    std::string last_line;
  };
  const std::vector<Case> cases = {
      {good, 2, "", "packets 2, queries 2, of them matching 0; events written 2"},
      {part(good, 0, good.size() - 1), 1, "3 damaged or cut off behind packet 1",
       "packets 1, queries 1, of them matching 0; events written 1"},
      {pcap_header(105) + lookup("a.test"), 0, "3 the link type IEEE802_11 (105) is not read",
       "not looked at: packets of a link type that is not read, IEEE802_11 (105): 1"},
      {pcapng_section() + pcapng_interface(1) + pcapng_interface(105) +
           pcapng_packet(0, 1, ethernet(ipv4(udp(query("a.test"))))) + pcapng_packet(1, 1, Bytes(40, 0)),
       1, "", "not looked at: packets of a link type that is not read, IEEE802_11 (105): 1"},
      {pcap_header() + pcap_packet(Bytes(5, 0)), 0, "", "not looked at: malformed packets: 1"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.last_line);
    const auto outcome = replay({.file = capture(test.contents), .observe = "all"});
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(events().size(), test.events);
    const auto verdict = cli::replay_verdict("F", *outcome);
    const std::string said =
        verdict ? "" : fmt::format("{} {}", static_cast<int>(verdict.error().kind), verdict.error().message);
    EXPECT_EQ(said.empty(), test.verdict.empty()) << said;
    if (!test.verdict.empty()) {
      EXPECT_EQ(said.substr(0, 1), test.verdict.substr(0, 1));
      EXPECT_NE(said.find(test.verdict.substr(2)), std::string::npos) << said;
    }
    EXPECT_TRUE(cli::replay_summary("F", *outcome).back().ends_with(test.last_line));
  }
}

TEST_F(ReplayTest, ErrorsBeforeTheFirstPacket) {
  const std::string file = capture(pcap_header());
  struct Case {
    ReplayOptions options;
    ErrorClass kind;
    std::string message;
  };
  const std::vector<Case> cases = {
      {{.file = path("absent.pcap"), .observe = "all"}, ErrorClass::runtime, "absent.pcap: the file cannot be opened"},
      {{.file = write("text", "text"), .observe = "all"}, ErrorClass::invalid, "text: this is no pcap or pcapng file"},
      {{.file = file, .rules = {write("bad.yml", "title: [")}}, ErrorClass::invalid, "bad.yml"},
      {{.file = file, .lists = {"exact:" + path("absent.txt")}}, ErrorClass::invalid, "absent.txt"},
  };
  for (const Case& test : cases) {
    const auto outcome = replay(test.options);
    ASSERT_FALSE(outcome) << test.message;
    EXPECT_EQ(outcome.error().kind, test.kind) << outcome.error().message;
    EXPECT_NE(outcome.error().message.find(test.message), std::string::npos) << outcome.error().message;
  }
}

TEST_F(ReplayTest, ASinkThatTakesNothingIsAFailure) {
  const std::string file = capture(pcap_header() + lookup("a.test"));
  const auto outcome = agent::replay({.file = file, .outputs = {"jsonl:/dev/full"}, .observe = "all"});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->lost, 1u);
  EXPECT_EQ(outcome->events, 0u);
  EXPECT_EQ(cli::replay_verdict("F", *outcome).error().kind, ErrorClass::runtime);
}

// ---- responses

// An answer of one A record to the query for a name.
Bytes answer(std::string_view name, std::uint8_t last_octet, std::uint16_t id = 0x1234, std::uint16_t flags = 0x8180) {
  return big16(id) + big16(flags) + big16(1) + big16(1) + Bytes(4, 0) + question(name) + Bytes{0xC0, 12, 0, 1, 0, 1} +
         Bytes(4, 0) + Bytes{0, 4, 192, 0, 2, last_octet};
}

struct From {
  std::uint16_t port = 53;
  std::uint16_t client_port = 40000;
  std::uint32_t second = 1700000000;
};

Bytes response(const Bytes& message, From from = {}) {
  return pcap_packet(ethernet(ipv4(udp(message, from.client_port, from.port), {.from_server = true})), from.second, 9);
}

constexpr std::string_view answer_rule = R"(title: Answer
id: 00000000-0000-4000-8000-000000000003
status: test
level: high
logsource: {category: dns}
detection:
  s: {answer: 192.0.2.1}
  condition: s
)";

TEST_F(ReplayTest, ResponsesAreJoinedToTheirQueries) {
  const std::string rules = write("answer.yml", answer_rule);
  const struct {
    const char* what;
    Bytes packets;
    std::vector<std::string> events;
  } cases[] = {
      {"its response", lookup("a.test") + response(answer("A.test", 1)), {"RESPONSE a.test"}},
      {"another address in it", lookup("a.test") + response(answer("a.test", 2)), {}},
      {"another name", lookup("a.test") + response(answer("b.test", 1)), {}},
      {"another id", lookup("a.test") + response(answer("a.test", 1, 0x1235)), {}},
      {"another port of the client", lookup("a.test") + response(answer("a.test", 1), {.client_port = 40001}), {}},
      {"a query from the server's port", lookup("a.test") + response(answer("a.test", 1, 0x1234, 0x0100)), {}},
      {"twice", lookup("a.test") + response(answer("a.test", 1)) + response(answer("a.test", 1)), {"RESPONSE a.test"}},
      {"late", lookup("a.test") + response(answer("a.test", 1), {.second = 1700000011}), {}},
      {"after a wrong one",
       lookup("a.test") + response(answer("a.test", 1, 7)) + response(answer("a.test", 1)),
       {"RESPONSE a.test"}},
      {"without a query", response(answer("a.test", 1)), {}},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.what);
    const auto outcome = replay({.file = capture(pcap_header() + row.packets), .rules = {rules}});
    ASSERT_TRUE(outcome) << outcome.error().message;
    EXPECT_EQ(kinds(), row.events);
  }
}

TEST_F(ReplayTest, AResponseHasItsCodeAnswersAndLatency) {
  const std::string file = capture(pcap_header() + lookup("a.test") + response(answer("a.test", 1)));
  ASSERT_TRUE(replay({.file = file, .rules = {write("answer.yml", answer_rule)}}));
  ASSERT_EQ(events().size(), 1U);
  const nlohmann::json event = events()[0];
  EXPECT_EQ(event["dns"]["rcode"], 0);
  EXPECT_EQ(event["dns"]["answers"], nlohmann::json({"192.0.2.1"}));
  EXPECT_EQ(event["dns"]["latency"], "0.000004s");
  EXPECT_EQ(event["alert"], true);
}

TEST_F(ReplayTest, AResponseToANameWithASearchSuffix) {
  std::string both(answer_rule);
  both.replace(both.find("{answer"), 1, "{query: a.test, ");
  const std::string name = "a.test.ns.svc.lan";
  const std::string file = capture(pcap_header() + lookup(name) + response(answer(name, 1)));
  ASSERT_TRUE(
      replay({.file = file, .rules = {write("both.yml", both)}, .rule_loading = {.search_suffixes = {"*.svc.lan"}}}));
  ASSERT_EQ(kinds(), (std::vector<std::string>{"RESPONSE " + name}));
  EXPECT_EQ(events()[0]["dns"]["expanded_from"], "a.test");
}

TEST_F(ReplayTest, ResponsesOverTcpHoweverTheyAreCut) {
  const auto segment = [](const Bytes& octets, std::uint32_t at) {
    return pcap_packet(
        ethernet(ipv4(tcp(at, octets, tcp_ack, 40000, 53), {.protocol = protocol_tcp, .from_server = true})));
  };
  const Bytes stream = in_stream(answer("a.test", 1));
  const Bytes asked = pcap_packet(ethernet(ipv4(tcp(100, in_stream(query("a.test"))), {.protocol = protocol_tcp})));
  const Bytes synchronise = pcap_packet(
      ethernet(ipv4(tcp(500, {}, tcp_syn | tcp_ack, 40000, 53), {.protocol = protocol_tcp, .from_server = true})));
  const std::string rules = write("answer.yml", answer_rule);
  for (std::size_t cut = 0; cut < stream.size(); ++cut) {
    const Bytes packets = synchronise + asked + segment(part(stream, 0, cut), 501) +
                          segment(part(stream, cut), 501 + static_cast<std::uint32_t>(cut));
    ASSERT_TRUE(replay({.file = capture(pcap_header() + packets), .rules = {rules}}));
    EXPECT_EQ(kinds(), std::vector<std::string>{"RESPONSE a.test"}) << cut;
  }
}

TEST_F(ReplayTest, ResponsesWhenAsked) {
  const std::string file = capture(pcap_header() + lookup("evil.test") + response(answer("evil.test", 1)) +
                                   lookup("good.test") + response(answer("good.test", 1)));
  ASSERT_TRUE(replay({.file = file, .observe = "all", .responses = true}));
  EXPECT_EQ(kinds(), (std::vector<std::string>{"QUERY evil.test", "RESPONSE evil.test", "QUERY good.test",
                                               "RESPONSE good.test"}));
  EXPECT_EQ(events()[1]["duplicate_of"], events()[0]["event_id"]);
  ASSERT_TRUE(replay({.file = file, .rules = {write("rule.yml", rule)}, .responses = true}));
  EXPECT_EQ(kinds(), (std::vector<std::string>{"MATCH evil.test", "RESPONSE evil.test"}));
  const auto outcome = replay({.file = file, .observe = "all"});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->counts.of(Skip::response), 2U) << "passed over where nobody asks";
}

}  // namespace
}  // namespace nslookout::agent
