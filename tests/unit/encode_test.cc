#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "encode/fields.h"
#include "encode/format.h"
#include "encode/summary.h"
#include "event/codec.h"
#include "event_samples.h"
#include "shared_material.h"
#include "sink_fixture.h"

namespace nslookout::encode {
namespace {

using event::Event;

Event plain_query() {
  Event event = event::small_event("www.evil.co.uk");
  event.time = WallTime{std::chrono::milliseconds{1'774'915'445'123}};
  event.kind = event::Kind::query;
  event.alert.reset();
  event.dns->record_type = "AAAA";
  event.dns->transport = "varlink";
  return event;
}

Event alert() {
  Event event = event::full_event();
  event.alert = true;
  event.duplicate_of.clear();
  event.pod->uid = "5f2b1c9e-6d0a-4a86-8d65-0123456789ab";
  event.sequence = 7;
  event.losses.clear();
  event.rules[0].tags.emplace_back("attack.t1071.004");
  event.dns->rcode.reset();
  event.dns->answers.clear();
  event.dns->latency.reset();
  return event;
}

Event response() {
  Event event = event::full_event();
  event.kind = event::Kind::response;
  event.dns->rcode = 3;
  return event;
}

Event blocked() {
  Event event = alert();
  event.action = event::Action::blocked;
  return event;
}

Event correlation() {
  Event event = alert();
  event.kind = event::Kind::correlation;
  return event;
}

Event loss() {
  Event event;
  event.event_id = "019a0000-0000-7000-8000-000000000003";
  event.kind = event::Kind::loss;
  event.time = WallTime{std::chrono::milliseconds{1'774'915'445'123}};
  event.host = event::Host{"box", "boot", "6.1.0"};
  event.losses = {{"sink", 12, "kafka:broker/dns"}};
  return event;
}

// Whatever a process can choose.
Event hostile() {
  const std::string bad =
      "a\xff\xfe\n{\"alert\":true}\x1b[2J\x7f\"\\\xe2\x80\xa8\xc2\x85" + std::string(1, '\0') + "caf\xc3";
  Event event = alert();
  event.process->comm = bad;
  event.process->thread_comm = bad;
  event.process->executable = "/" + bad;
  event.process->cwd = bad;
  event.process->command_line = {bad, bad};
  event.process->user = bad;
  event.process->ancestors[0].comm = bad;
  event.container->name = bad;
  event.container->image = bad;
  event.pod->labels = {{bad, bad}};
  event.rules[0].title = bad;
  event.rules[0].tags = {bad, "attack.t" + bad};
  event.dns->answers = {bad};
  event.dns->server->ip = "not an address";
  return event;
}

// As little as an event can say.
Event empty() {
  Event event;
  event.time = WallTime{std::chrono::milliseconds{1'774'915'445'123}};
  return event;
}

std::vector<Event> samples() {
  return {plain_query(), alert(), response(), blocked(), correlation(), loss(), hostile(), empty()};
}

nlohmann::json object(const Event& event, Format format) {
  const auto line = to_line(event, format);
  EXPECT_TRUE(line) << line.error().message;
  return nlohmann::json::parse(*line);
}

TEST(Encode, HasTheNamesOfTheFormats) {
  EXPECT_EQ(format_from_name("native"), Format::native);
  EXPECT_EQ(format_from_name("ecs"), Format::ecs);
  EXPECT_EQ(format_from_name("ocsf"), Format::ocsf);
  EXPECT_EQ(format_from_name("ECS"), std::nullopt);
}

struct Expected {
  const char* path;  // JSON pointer
  nlohmann::json value;
};

void expect(const nlohmann::json& object, const std::vector<Expected>& values) {
  for (const Expected& wanted : values) {
    const nlohmann::json::json_pointer pointer(wanted.path);
    ASSERT_TRUE(object.contains(pointer)) << wanted.path << " in " << object.dump(2);
    EXPECT_EQ(object.at(pointer), wanted.value) << wanted.path;
  }
}

TEST(Encode, EcsOfAnAlert) {
  expect(object(alert(), Format::ecs), {{"/@timestamp", "2026-03-31T00:00:00.123456789Z"},
                                        {"/event/kind", "alert"},
                                        {"/event/category", {"network", "intrusion_detection"}},
                                        {"/event/action", "dns_match"},
                                        {"/event/severity", 73},
                                        {"/event/sequence", 7},
                                        {"/event/id", "019a0000-0000-7000-8000-000000000001"},
                                        {"/message", "curl (4711) asked for sfrclak.com: Title"},
                                        {"/dns/type", "query"},
                                        {"/dns/id", "0"},
                                        {"/dns/question/name", "sfrclak.com"},
                                        {"/dns/question/type", "A"},
                                        {"/dns/question/registered_domain", "sfrclak.com"},
                                        {"/dns/question/top_level_domain", "com"},
                                        {"/network/transport", "udp"},
                                        {"/network/type", "ipv4"},
                                        {"/source/ip", "2001:db8::1"},
                                        {"/destination/port", 53},
                                        {"/process/pid", 4711},
                                        {"/process/name", "curl"},
                                        {"/process/executable", "/usr/bin/curl"},
                                        {"/process/args", {"curl", "", "https://sfrclak.com"}},
                                        {"/process/command_line", "curl \"\" https://sfrclak.com"},
                                        {"/process/parent/pid", 4000},
                                        {"/process/thread/name", "resolver"},
                                        {"/user/id", "0"},
                                        {"/rule/id", "id-1"},
                                        {"/rule/name", "Title"},
                                        {"/rule/ruleset", "axios.yml"},
                                        {"/threat/technique/id", {"T1195", "T1071"}},
                                        {"/threat/technique/subtechnique/id", {"T1071.004"}},
                                        {"/container/image/name", "nginx"},
                                        {"/container/image/tag", nlohmann::json::array({"1"})},
                                        {"/orchestrator/namespace", "default"},
                                        {"/orchestrator/resource/name", "web-0"},
                                        {"/package/name", "plain-crypto-js"},
                                        {"/host/boot/id", "boot"},
                                        {"/nslookout/origin/ci/system", "github-actions"},
                                        {"/nslookout/rules/0/level", "high"},
                                        {"/nslookout/process/ancestors/0/comm", "node"}});
}

TEST(Encode, EcsTellsWhatHappened) {
  EXPECT_EQ(object(plain_query(), Format::ecs)["event"]["kind"], "event");
  EXPECT_EQ(object(plain_query(), Format::ecs)["dns"]["question"]["subdomain"], "www");
  EXPECT_EQ(object(event::full_event(), Format::ecs)["event"]["kind"], "event") << "a duplicate pages nobody";
  expect(object(response(), Format::ecs), {{"/dns/type", "answer"},
                                           {"/dns/response_code", "NXDOMAIN"},
                                           {"/dns/answers/0/data", "203.0.113.7"},
                                           {"/dns/resolved_ip", {"203.0.113.7", "203.0.113.8"}},
                                           {"/event/outcome", "failure"},
                                           {"/event/duration", 1'500'000}});
  expect(object(blocked(), Format::ecs), {{"/event/type", {"protocol", "info", "denied"}}});
  expect(object(loss(), Format::ecs), {{"/event/action", "loss"},
                                       {"/message", "lost 12 at the stage sink of kafka:broker/dns"},
                                       {"/nslookout/losses/0/output", "kafka:broker/dns"}});
}

TEST(Encode, OcsfOfAnAlert) {
  expect(object(alert(), Format::ocsf), {{"/class_uid", 4003},
                                         {"/activity_id", 1},
                                         {"/type_uid", 400301},
                                         {"/severity_id", 4},
                                         {"/time", 1'774'915'200'123},
                                         {"/metadata/version", "1.8.0"},
                                         {"/metadata/uid", "019a0000-0000-7000-8000-000000000001"},
                                         {"/query/hostname", "sfrclak.com"},
                                         {"/query/type", "A"},
                                         {"/query/packet_uid", 0},
                                         {"/dst_endpoint/ip", "127.0.0.77"},
                                         {"/actor/process/pid", 4711},
                                         {"/actor/process/parent_process/pid", 4000},
                                         {"/actor/process/container/image/tag", "1"},
                                         {"/actor/user/uid", "0"},
                                         {"/actor/process/container/pod_uuid", "5f2b1c9e-6d0a-4a86-8d65-0123456789ab"},
                                         {"/is_alert", true},
                                         {"/disposition", "Alert"},
                                         {"/firewall_rule/uid", "id-1"},
                                         {"/attacks/1/sub_technique/uid", "T1071.004"},
                                         {"/device/hostname", "box"},
                                         {"/unmapped/origin/package/name", "plain-crypto-js"}});
  expect(object(response(), Format::ocsf),
         {{"/activity_id", 2}, {"/rcode_id", 3}, {"/rcode", "NXDomain"}, {"/answers/1/rdata", "203.0.113.8"}});
  expect(object(blocked(), Format::ocsf), {{"/action", "Denied"}, {"/disposition", "Blocked"}});
  expect(object(loss(), Format::ocsf), {{"/activity_id", 99}, {"/unmapped/losses/0/count", "12"}});
}

// Where the single values of a JSON object are.
void collect_leaves(const nlohmann::json& value, const nlohmann::json::json_pointer& at,
                    std::vector<nlohmann::json::json_pointer>& leaves) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) collect_leaves(inner, at / key, leaves);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) collect_leaves(value[i], at / i, leaves);
  } else {
    leaves.push_back(at);
  }
}

// So the next new field cannot be forgotten: a line that is the same without a field does not tell it.
TEST(Encode, EveryFieldOfAnEventIsInEveryFormat) {
  Event lookup = alert();
  lookup.duplicate_of = "019a0000-0000-7000-8000-000000000000";
  lookup.losses = {{"ring_full", 12, "stdout"}};
  lookup.dns = event::full_event().dns;
  Event bypass = lookup;
  bypass.kind = event::Kind::bypass;
  bypass.dns.reset();
  bypass.bypass = event::Bypass{event::Technique::raw_socket, event::Endpoint{"192.0.2.1", 853}, "tcp", 17, "program"};
  for (const Event& event : {lookup, bypass}) {
    const auto native = nlohmann::json::parse(event::to_json_line(event));
    std::vector<nlohmann::json::json_pointer> leaves;
    collect_leaves(native, nlohmann::json::json_pointer(), leaves);
    EXPECT_GT(leaves.size(), 70U);
    for (const auto& leaf : leaves) {
      if (leaf.to_string() == "/schema_version") continue;
      nlohmann::json without = native;
      auto& above = without.at(leaf.parent_pointer());
      if (above.is_array()) {
        above.erase(std::stoul(leaf.back()));
      } else {
        above.erase(leaf.back());
      }
      const auto less = event::from_json_line(without.dump());
      ASSERT_TRUE(less) << leaf << ": " << less.error().message;
      for (const Format format : {Format::native, Format::ecs, Format::ocsf}) {
        EXPECT_NE(object(*less, format), object(event, format))
            << format_names.at(static_cast<std::size_t>(format)) << " does not tell " << leaf;
      }
    }
  }
}

TEST(Encode, WhatAnotherSchemaHasNoFieldForKeepsItsName) {
  const Event event = event::full_event();
  expect(object(event, Format::ecs), {{"/nslookout/from_history", true},
                                      {"/nslookout/sensor", {{"backend", "cgroup"}, {"mode", "audit"}}},
                                      {"/nslookout/dns/expanded_from", "sfrclak"},
                                      {"/nslookout/process/parent_pid", 0}});
  expect(object(event, Format::ocsf), {{"/unmapped/from_history", true},
                                       {"/unmapped/sensor", {{"backend", "cgroup"}, {"mode", "audit"}}},
                                       {"/unmapped/dns/expanded_from", "sfrclak"},
                                       {"/unmapped/dns/search_suffix", "com"},
                                       {"/unmapped/dns/query_wire", "B1NmUmNMYUsDY09tAA=="},
                                       {"/unmapped/dns/latency", "0.001500s"},
                                       {"/unmapped/process/script", "./postinstall.sh"},
                                       {"/unmapped/process/cgroup", "/system.slice/run.scope"},
                                       {"/unmapped/process/ancestors/0/comm", "node"}});
  EXPECT_FALSE(object(event, Format::ecs)["nslookout"].contains("host"));
  EXPECT_FALSE(object(event, Format::ocsf)["unmapped"].contains("host"));
}

TEST(Encode, ALineIsOnePrintableLineWhateverTheEventHolds) {
  for (const Event& event : samples()) {
    for (const Format format : {Format::native, Format::ecs, Format::ocsf}) {
      const auto line = to_line(event, format);
      ASSERT_TRUE(line) << line.error().message;
      EXPECT_TRUE(nlohmann::json::accept(*line));
      for (const char c : *line) {
        ASSERT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F) << *line;
      }
    }
  }
  EXPECT_EQ(summary(hostile()).find_first_of("\n\x1b"), std::string::npos);
}

struct Image {
  const char *reference, *name, *tag;
};

TEST(Encode, TakesAnImagesNameApart) {
  const Image cases[] = {{"nginx", "nginx", ""},
                         {"nginx:1", "nginx", "1"},
                         {"host:5000/a/b", "host:5000/a/b", ""},
                         {"host:5000/a/b:v2@sha256:ab", "host:5000/a/b", "v2"},
                         {"a@sha256:ab", "a", ""},
                         {"", "", ""}};
  for (const Image& image : cases) {
    const ImageName name = image_name(image.reference);
    EXPECT_EQ(name.name, image.name) << image.reference;
    EXPECT_EQ(name.tag, image.tag) << image.reference;
  }
}

class EncodeSchemas : public sink::SinkTest {
 protected:
  // The validator's report about the samples in the format; it ends with "8 of 8 events valid".
  std::string validate(Format format, const std::filesystem::path& validator) const {
    std::ofstream lines(path("events"));
    for (const Event& event : samples()) lines << to_line(event, format).value_or("") << '\n';
    lines.close();
    const std::string command =
        "/usr/bin/python3 -B '" + validator.string() + "' '" + path("events") + "' >'" + path("report") + "' 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return contents(path("report"));
  }
};

TEST_F(EncodeSchemas, AcceptEveryEvent) {
  const std::filesystem::path folder = shared_material() / "schema";
  if (!std::filesystem::exists(folder / "ecs_validate.py")) GTEST_SKIP() << "no schemas in " << folder;
  if (std::system("/usr/bin/python3 -c 'import jsonschema' 2>/dev/null") != 0) GTEST_SKIP() << "no python3-jsonschema";
  EXPECT_EQ(validate(Format::ecs, folder / "ecs_validate.py"), "8 of 8 events valid\n");
  EXPECT_EQ(validate(Format::ocsf, folder / "ocsf_validate.py"), "8 of 8 events valid\n");
}

}  // namespace
}  // namespace nslookout::encode
