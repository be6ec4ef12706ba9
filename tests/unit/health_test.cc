// health/ and what the agent tells through it: addresses, metrics as text, the status for people, the exchange of snapshots.
#include <gtest/gtest.h>

#include <thread>

#include "agent/snapshot.h"
#include "health/http_server.h"
#include "health/metrics.h"
#include "health/status.h"
#include "health/vitals.h"

namespace nslookout::health {
namespace {

using std::chrono_literals::operator""ms;

TEST(HealthHttpAddress, AcceptedAndRefused) {
  const struct {
    const char* text;
    const char* address;  // empty: refused
  } cases[] = {
      {"127.0.0.1:9477", "127.0.0.1:9477"},
      {"9477", "127.0.0.1:9477"},
      {"0.0.0.0:1", "0.0.0.0:1"},
      {"127.0.0.1:65535", "127.0.0.1:65535"},
      {"127.0.0.1:65536", ""},
      {"127.0.0.1:0", ""},
      {"127.0.0.1:", ""},
      {"127.0.0.1: 80", ""},
      {":80", ""},
      {"host:80", ""},
      {"[::1]:80", "[::1]:80"},
      {"[::]:80", "[::]:80"},
      {"[2001:DB8:0:0::1]:9477", "[2001:db8::1]:9477"},
      {"[::ffff:127.0.0.1]:80", "127.0.0.1:80"},
      {"::1:80", ""},
      {"[::1]", ""},
      {"[::1]:", ""},
      {"[::1]80", ""},
      {"[127.0.0.1]:80", ""},
      {"[]:80", ""},
      {"[::1:80", ""},
      {"fe80::1%lo:80", ""},
      {"", ""},
  };
  for (const auto& [text, address] : cases) {
    const auto parsed = parse_http_address(text);
    EXPECT_EQ(parsed ? parsed->text() : "", address) << text;
  }
}

TEST(HealthHistogram, CountsByLimit) {
  Histogram histogram;
  histogram.add(-5ms);  // a wall clock that was set back
  histogram.add(std::chrono::microseconds{500});
  histogram.add(std::chrono::seconds{60});
  EXPECT_EQ(histogram.counts().front(), 2U);
  EXPECT_EQ(histogram.counts().back(), 1U);
  EXPECT_DOUBLE_EQ(histogram.sum(), 60.0005);
}

Snapshot sample() {
  Snapshot snapshot;
  snapshot.version = "1.2.3";
  snapshot.backend = "cgroup";
  snapshot.backend_reason = "asked for";
  snapshot.mode = "audit";
  snapshot.generation.number = 7;
  snapshot.generation.last_refusal = "rule.yml:1:2: broken\n\x1b[2J";
  snapshot.counters = {{"queries", "seen", 12}, {"candidates", "left", 5}};
  snapshot.lost = {{"ring", 3}, {"sink", 0}};
  snapshot.outputs = {{"jsonl:a\"b\\c\nd", 4, 1, 2, true}};
  RuleState rule;
  rule.title = "A rule";
  rule.level = "high";
  rule.reach = "never";
  rule.never_because = "LogonId is not a field here";
  snapshot.rules = {rule};
  snapshot.latency.add(3ms);
  return snapshot;
}

TEST(HealthMetrics, Text) {
  const std::string text = metrics_text(sample());
  for (const char* line :
       {"nslookout_generation 7\n", "# TYPE nslookout_queries_total counter\n", "nslookout_queries_total 12\n",
        "nslookout_lost_total{stage=\"ring\"} 3\n",
        "nslookout_backend_info{backend=\"cgroup\",mode=\"audit\",reason=\"asked for\"} 1\n",
        "nslookout_output_lost_total{output=\"jsonl:a\\\"b\\\\c\\nd\"} 1\n",
        "nslookout_event_latency_seconds_bucket{le=\"0.0025\"} 0\n",
        "nslookout_event_latency_seconds_bucket{le=\"0.005\"} 1\n",
        "nslookout_event_latency_seconds_bucket{le=\"+Inf\"} 1\n", "nslookout_event_latency_seconds_count 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  }
  EXPECT_EQ(text.find("nslookout_program_runs_total"), std::string::npos) << "nobody measures";
}

TEST(HealthMetrics, ARefusedReloadIsToldUntilOneIsTaken) {
  Snapshot snapshot = sample();
  snapshot.generation.reload_failures = 3;
  EXPECT_NE(metrics_text(snapshot).find("nslookout_reload_refused 1\n"), std::string::npos);
  snapshot.generation.last_refusal.clear();
  EXPECT_NE(metrics_text(snapshot).find("nslookout_reload_refused 0\n"), std::string::npos);
}

TEST(HealthStatus, TextForPeople) {
  const WallTime now = WallTime{} + std::chrono::hours{49} + std::chrono::minutes{5};
  const auto text = status_text(status_json(sample(), now));
  ASSERT_TRUE(text) << text.error().message;
  for (const char* part :
       {"for 2 d 1 h 5 min\n", "lost         ring 3\n", "4 written, 2 waiting, 1 lost; takes nothing any more\n",
        "A rule  (never: LogonId is not a field here)\n", "rule.yml:1:2: broken\\x0a\\x1b[2J\n"}) {
    EXPECT_NE(text->find(part), std::string::npos) << part << "in\n" << *text;
  }
}

TEST(HealthStatus, WhatIsNoStatusIsAnError) {
  for (const char* text : {"", "{", "[]", "{}", "{\"generation\":7}"}) EXPECT_FALSE(status_text(text)) << text;
}

TEST(HealthOutputName, NothingSecretAndNoOptions) {
  const std::pair<const char*, const char*> cases[] = {
      {"stdout", "stdout"},
      {"jsonl:/var/log/a.jsonl?format=ecs", "jsonl:/var/log/a.jsonl"},
      {"otlp:https://user:pa@ss@host:4318/v1/logs?x=y", "otlp:https://host:4318/v1/logs"},
      {"otlp:http://host/a@b", "otlp:http://host/a@b"},
  };
  for (const auto& [spec, name] : cases) EXPECT_EQ(agent::output_name(spec), name);
}

TEST(HealthVitals, AnsweredByTheReadingThreadAlone) {
  Vitals vitals;
  EXPECT_EQ(vitals.ask(1ms), nullptr) << "nobody attends";
  std::atomic<bool> stop = false;
  std::thread reading([&] {
    std::uint32_t number = 0;
    while (!stop) {
      vitals.attend([&] {
        Snapshot snapshot;
        snapshot.generation.number = ++number;
        return snapshot;
      });
    }
  });
  std::uint32_t last = 0;
  for (int i = 0; i < 100; ++i) {
    const auto snapshot = vitals.ask(std::chrono::minutes{1});
    ASSERT_NE(snapshot, nullptr);
    EXPECT_GT(snapshot->generation.number, last) << "made after it was asked for";
    last = snapshot->generation.number;
  }
  stop = true;
  reading.join();
  vitals.close();
  EXPECT_EQ(vitals.ask(std::chrono::minutes{5}), nullptr) << "at once";
}

}  // namespace
}  // namespace nslookout::health
