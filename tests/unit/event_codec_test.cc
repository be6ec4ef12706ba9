#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "event/codec.h"
#include "event_samples.h"

namespace nslookout::event {
namespace {

using nlohmann::json;

json as_json(const Event& event) { return json::parse(to_json_line(event)); }

TEST(EventCodec, JsonHasEveryFieldOfTheDesignUnderItsName) {
  const json event = as_json(full_event());
  const json expected = json::parse(R"({
    "schema_version": 1, "event_id": "019a0000-0000-7000-8000-000000000001", "time": "2026-03-31T00:00:00.123456789Z",
    "sequence": "9007199254740993", "alert": false, "duplicate_of": "019a0000-0000-7000-8000-000000000000",
    "kind": "KIND_MATCH", "action": "ACTION_WOULD_BLOCK",
    "dns": {"query": "sfrclak.com", "query_wire": "B1NmUmNMYUsDY09tAA==", "record_type": "A", "record_type_id": 1, "id": 0,
            "transport": "udp", "server": {"ip": "127.0.0.77", "port": 53},
            "source": {"ip": "2001:db8::1", "port": 40000}, "rcode": 0, "answers": ["203.0.113.7", "203.0.113.8"],
            "latency": "0.001500s", "wire_port": 40053, "question_count": 2,
            "expanded_from": "sfrclak", "search_suffix": "com"},
    "process": {"pid": 4711, "tid": 4712, "start_time": "2026-03-30T23:59:59.000000001Z", "comm": "curl",
                "thread_comm": "resolver", "executable": "/usr/bin/curl",
                "command_line": ["curl", "", "https://sfrclak.com"], "cwd": "/srv", "uid": 0, "user": "root", "gid": 0,
                "group": "root-group", "parent_pid": 0, "session": 42, "ancestors": [{"pid": 4000, "comm": "node"}],
                "cgroup": "/system.slice/run.scope", "cgroup_id": "18446744073709551615", "executable_deleted": true,
                "executable_truncated": true, "command_line_truncated": true, "namespace_pid": 7,
                "sender_from_socket": true, "ancestors_truncated": true, "script": "./postinstall.sh"},
    "origin": {"package": {"manager": "npm", "name": "plain-crypto-js", "version": "4.2.1", "script": "postinstall",
                           "path": "/srv/node_modules/p"},
               "ci": {"system": "github-actions", "repository": "o/r", "workflow": "build", "stage": "checks",
                      "job": "test", "step": "install", "action": "o/a@v1", "run_id": "99", "job_id": "7",
                      "attempt": "2"}},
    "container": {"id": "cafe", "runtime": "docker", "name": "web", "image": "nginx:1"},
    "pod": {"namespace": "default", "name": "web-0", "uid": "uid-1", "labels": {"app": "web"}},
    "host": {"name": "box", "boot_id": "boot", "kernel": "6.1.0"},
    "rules": [{"id": "id-1", "title": "Title", "level": "high", "tags": ["attack.t1195"],
               "references": ["https://example.test/"], "file": "axios.yml",
               "matched": [{"field": "query", "value": "sfrclak.com"}]}],
    "sensor": {"version": "0.1.0", "backend": "cgroup", "mode": "audit"},
    "losses": [{"stage": "ring_full", "count": "12", "output": "stdout"}],
    "role": "ROLE_FORWARDER", "client_hidden": true, "from_history": true})");
  EXPECT_EQ(event, expected) << json::diff(expected, event).dump(2);
}

TEST(EventCodec, AbsentFieldsAreLeftOutAndAlertIsShownEitherWay) {
  Event event = small_event("a.test");
  EXPECT_EQ(as_json(event).at("alert"), true);
  event.alert = false;
  EXPECT_EQ(as_json(event).at("alert"), false);
  event.alert.reset();
  const json without = as_json(event);
  for (const char* absent :
       {"alert", "duplicate_of", "process", "origin", "container", "pod", "host", "rules", "losses"}) {
    EXPECT_FALSE(without.contains(absent)) << absent;
  }
  EXPECT_FALSE(without.at("dns").contains("rcode"));
}

TEST(EventCodec, ProtobufAndBackIsTheSameEvent) {
  const auto message = to_protobuf(full_event());
  ASSERT_TRUE(message);
  const auto back = from_protobuf(*message);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(as_json(*back), as_json(full_event()));
}

TEST(EventCodec, TimesBefore1970AndNegativeLatenciesSurvive) {
  Event event = small_event("a.test");
  event.time = WallTime{std::chrono::nanoseconds{-1}};
  event.dns->latency = std::chrono::nanoseconds{-1'500'000'000};
  EXPECT_EQ(as_json(event).at("time"), "1969-12-31T23:59:59.999999999Z");
  const auto message = to_protobuf(event);
  ASSERT_TRUE(message);
  const auto back = from_protobuf(*message);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->time, event.time);
  EXPECT_EQ(back->dns->latency, event.dns->latency);
}

struct HostileCase {
  const char* name;
  std::string octets;
  std::string shown;  // the value a JSON reader gets
};

class EventCodecHostile : public testing::TestWithParam<HostileCase> {};

// A reader that knows an event by its octets (a digest, a diff of two files) sees it once.
TEST(EventCodec, LabelsStandInTheOrderOfTheirNames) {
  Event event = full_event();
  std::string shown;
  event.pod->labels.clear();
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    event.pod->labels.emplace(std::string(1, letter), "value");
    shown += (shown.empty() ? "\"" : ",\"") + std::string(1, letter) + "\":\"value\"";
  }
  const std::string line = to_json_line(event);
  EXPECT_NE(line.find("{" + shown + "}"), std::string::npos) << line;
  const auto message = to_protobuf(event);
  ASSERT_TRUE(message);
  for (int again = 0; again < 20; ++again) EXPECT_EQ(to_protobuf(event).value(), *message);
}

TEST_P(EventCodecHostile, IsOneValidLineWithItsTextKept) {
  const std::string& octets = GetParam().octets;
  Event event = full_event();
  event.dns->query = octets;
  event.process->comm = octets;
  event.process->thread_comm = octets;
  event.process->executable = octets;
  event.process->command_line = {octets, octets};
  event.process->cwd = octets;
  event.process->cgroup = octets;
  event.container->id = octets;
  event.pod->labels = {{octets, octets}};
  event.rules[0].title = octets;
  event.rules[0].matched[0].value = octets;
  const std::string line = to_json_line(event);
  const bool one_line =
      std::none_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  EXPECT_TRUE(one_line);
  EXPECT_EQ(line.find("\xe2\x80\xa8"), std::string::npos) << "U+2028 ends a line for some readers";
  const json parsed = json::parse(line);
  const std::string& shown = GetParam().shown;
  EXPECT_EQ(parsed.at("process").at("comm"), shown);
  EXPECT_EQ(parsed.at("process").at("executable"), shown);
  EXPECT_EQ(parsed.at("process").at("command_line"), json::array({shown, shown}));
  EXPECT_EQ(parsed.at("dns").at("query"), shown);
  EXPECT_EQ(parsed.at("process").at("pid"), 4711);

  const auto message = to_protobuf(event);
  ASSERT_TRUE(message);
  const auto back = from_protobuf(*message);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->process->comm, shown);
}

INSTANTIATE_TEST_SUITE_P(Octets, EventCodecHostile,
                         testing::Values(HostileCase{"lone_ff",
                                                     "a\xff"
                                                     "b",
                                                     R"(a\xffb)"},
                                         HostileCase{"newline", "a\nb\r", "a\nb\r"},
                                         HostileCase{"quote_and_forged_line", "x\"}\n{\"process\":{\"pid\":1}}",
                                                     "x\"}\n{\"process\":{\"pid\":1}}"},
                                         HostileCase{"nul", std::string("a\0b", 3), std::string("a\0b", 3)},
                                         HostileCase{"escape_sequence", "\x1b[31m", "\x1b[31m"},
                                         HostileCase{"line_separator",
                                                     "a\xe2\x80\xa8"
                                                     "b",
                                                     "a\xe2\x80\xa8"
                                                     "b"},
                                         HostileCase{"surrogate", "\xed\xa0\x80", R"(\xed\xa0\x80)"},
                                         HostileCase{"overlong_nul", "\xc0\x80", R"(\xc0\x80)"},
                                         HostileCase{"cut_sequence", "caf\xc3", R"(caf\xc3)"},
                                         HostileCase{"delete_and_c1", "\x7f\xc2\x9b", "\x7f\xc2\x9b"},
                                         HostileCase{"backslashes", R"(\\x41\n)", R"(\\x41\n)"},
                                         HostileCase{"valid_utf8",
                                                     "b\xc3\xbc"
                                                     "cher \xf0\x9f\x90\x9a",
                                                     "b\xc3\xbc"
                                                     "cher \xf0\x9f\x90\x9a"}),
                         [](const auto& info) { return info.param.name; });

TEST(EventCodec, OctetsThatAreNoEventAreRefused) {
  EXPECT_FALSE(from_protobuf(""));
  EXPECT_FALSE(from_protobuf("not an event"));
  EXPECT_FALSE(from_protobuf(std::string("\x12\x01\xff", 3))) << "a string that is not UTF-8";
  const auto message = to_protobuf(full_event());
  ASSERT_TRUE(message);
  EXPECT_FALSE(from_protobuf(message->substr(0, message->size() - 1)));
  EXPECT_EQ(from_protobuf("not an event").error().kind, ErrorClass::invalid);
}

TEST(EventCodec, ATimeBeyond64BitNanosecondsIsRefused) {
  // schema_version 1, time {seconds: 2^62}
  const std::string message("\x08\x01\x1a\x0a\x08\x80\x80\x80\x80\x80\x80\x80\x80\x40", 14);
  const auto event = from_protobuf(message);
  ASSERT_FALSE(event);
  EXPECT_NE(event.error().message.find("out of range"), std::string::npos) << event.error().message;
}

}  // namespace
}  // namespace nslookout::event
