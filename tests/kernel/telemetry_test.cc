// What leaves because the user asked to see every query, and nothing else: told once (unique), at a pace, and through a ring
// of its own. Names that nothing lists are used; the zone's are hits.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "child.h"
#include "harness.h"
#include "sender.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

const SocketAddress& server() {
  static const auto address = server_address(AddressKind::v4);
  return address;
}

// A name that no table has.
std::string unlisted(std::string_view stem) {
  static int count = 0;
  return wire_name(fmt::format("{}-{}-{}.example", stem, ::getpid(), count++));
}

Result<void> send_all(const std::vector<std::string>& wires, std::uint16_t type = type_a) {
  const auto fd = open_socket(server(), SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  for (const auto& wire : wires) {
    if (auto sent = send_to_on(fd->get(), server(), query(wire, type)); !sent) return sent;
  }
  return {};
}

// What is in both rings. (A canary would say nothing about the one that it is not in; but a datagram has passed the programs
// when the call that sends it returns, and the senders have ended.)
Result<std::vector<nsl_candidate>> everything(Harness& harness) {
  std::vector<nsl_candidate> candidates;
  const auto polled = harness.sensor().poll(std::chrono::milliseconds(0),
                                            [&](const nsl_candidate& candidate) { candidates.push_back(candidate); });
  if (!polled) return fail(polled.error());
  return candidates;
}

std::vector<nsl_candidate> of(const std::vector<nsl_candidate>& candidates, const std::vector<std::string>& wires) {
  std::vector<nsl_candidate> some;
  std::ranges::copy_if(candidates, std::back_inserter(some), [&](const nsl_candidate& candidate) {
    return std::ranges::find(wires, name_of(candidate)) != wires.end();
  });
  return some;
}

kernel::SensorOptions observing(bool unique) {
  kernel::SensorOptions options;
  options.observe_all = true;
  options.unique = unique;
  options.observed_per_second = 0;
  return options;
}

// How often the lookup of the candidate was made; 0: the kernel does not know it.
std::uint64_t count_of(Harness& harness, const nsl_candidate& candidate) {
  const auto repeats = harness.sensor().repeats();
  EXPECT_TRUE(repeats) << repeats.error().message;
  for (const kernel::Repeats& repeated : *repeats) {
    if (repeated.told == candidate.told) return repeated.count;
  }
  return 0;
}

TEST(Telemetry, AHundredLookupsOfFiveProcessesAreOneCandidateAndACount) {
  auto harness = Harness::start(observing(true));
  NSL_ASSERT_OK(harness);
  NSL_ASSERT_OK(harness->list({canary_entry()}));
  const auto wire = unlisted("often");
  for (int i = 0; i < 5; ++i) {
    const auto run = run_child("sender", [&] { return send_all(std::vector<std::string>(20, wire)); });
    NSL_ASSERT_OK(run.result);
  }
  const auto candidates = everything(*harness);
  NSL_ASSERT_OK(candidates);
  const auto found = of(*candidates, {wire});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].reasons, NSL_REASON_OBSERVE);
  EXPECT_EQ(count_of(*harness, found[0]), 100U);
}

TEST(Telemetry, WhatDiffersInNameOrTypeIsToldAndWhatDiffersInCaseIsNot) {
  auto harness = Harness::start(observing(true));
  NSL_ASSERT_OK(harness);
  NSL_ASSERT_OK(harness->list({canary_entry()}));
  const std::string stem(60, 'x');
  const auto name = [&](const std::string& first) {
    return wire_labels({first, stem, stem, stem, fmt::format("{}-zone", ::getpid())});
  };
  const std::vector<std::string> wires = {name("aaaaaaaa"), name("aaaaaaab"), name("aaaaaaaaa"), name("a")};
  std::string upper = wires[0];
  std::ranges::replace(upper, 'a', 'A');
  const auto run = run_child("sender", [&]() -> Result<void> {
    if (auto sent = send_all(wires); !sent) return sent;
    if (auto sent = send_all(wires, type_txt); !sent) return sent;
    return send_all({upper, wires[0]});
  });
  NSL_ASSERT_OK(run.result);
  const auto candidates = everything(*harness);
  NSL_ASSERT_OK(candidates);
  EXPECT_EQ(of(*candidates, wires).size(), 2 * wires.size());
  EXPECT_TRUE(of(*candidates, {upper}).empty());
  std::set<std::uint32_t> told;
  for (const auto& candidate : of(*candidates, wires)) told.insert(candidate.told);
  EXPECT_EQ(told.size(), 2 * wires.size());
}

TEST(Telemetry, HitsAreToldEachTime) {
  auto harness = Harness::start(observing(true));
  NSL_ASSERT_OK(harness);
  NSL_ASSERT_OK(harness->list({canary_entry(), zone_entry()}));
  const auto wire = unique_name("hit");
  const auto run = run_child("sender", [&] { return send_all(std::vector<std::string>(30, wire)); });
  NSL_ASSERT_OK(run.result);
  const auto candidates = everything(*harness);
  NSL_ASSERT_OK(candidates);
  EXPECT_EQ(of(*candidates, {wire}).size(), 30U);
}

TEST(Telemetry, AProcessThatAsksTooFastIsHeldBackAndItsHitsAreNot) {
  auto options = observing(false);
  options.observed_per_second = 50;
  auto harness = Harness::start(options);
  NSL_ASSERT_OK(harness);
  NSL_ASSERT_OK(harness->list({canary_entry(), zone_entry()}));
  std::vector<std::string> bulk, hits, both;
  for (int i = 0; i < 2000; ++i) {
    both.push_back(bulk.emplace_back(unlisted("bulk")));
    if (i % 20 == 0) both.push_back(hits.emplace_back(unique_name("hit")));
  }
  const auto before = harness->counters();
  const auto run = run_child("sender", [&] { return send_all(both); });
  NSL_ASSERT_OK(run.result);
  const auto candidates = everything(*harness);
  NSL_ASSERT_OK(candidates);
  const auto after = harness->counters();
  EXPECT_EQ(of(*candidates, hits).size(), hits.size());
  const auto told = of(*candidates, bulk).size();
  EXPECT_GE(told, 50U);
  // others on this machine are held back as well
  EXPECT_GE(after[NSL_COUNT_telemetry_limited] - before[NSL_COUNT_telemetry_limited], bulk.size() - told);
}

TEST(Telemetry, BulkThatNobodyReadsPushesOutNoHit) {
  auto options = observing(false);
  options.observed_ring_octets = 4096;
  auto harness = Harness::start(options);
  NSL_ASSERT_OK(harness);
  NSL_ASSERT_OK(harness->list({canary_entry(), zone_entry()}));
  std::vector<std::string> bulk, hits, both;
  for (int i = 0; i < 500; ++i) {
    both.push_back(bulk.emplace_back(unlisted("bulk")));
    both.push_back(hits.emplace_back(unique_name("hit")));
  }
  const auto before = harness->counters();
  const auto run = run_child("sender", [&] { return send_all(both); });
  NSL_ASSERT_OK(run.result);
  const auto candidates = everything(*harness);
  NSL_ASSERT_OK(candidates);
  const auto after = harness->counters();
  EXPECT_EQ(of(*candidates, hits).size(), hits.size());
  const auto told = of(*candidates, bulk).size();
  EXPECT_LT(told, 20U);
  EXPECT_GE(after[NSL_COUNT_telemetry_ring_full] - before[NSL_COUNT_telemetry_ring_full], bulk.size() - told);
  EXPECT_EQ(after[NSL_COUNT_ring_full], before[NSL_COUNT_ring_full]);
}

// What was told once, as lines that two sensors can be compared by: who asked whom for what, and how often.
Result<std::vector<std::string>> inventory(kernel::Sensor& sensor, const std::vector<std::string>& wires) {
  std::vector<nsl_candidate> candidates;
  const auto polled = sensor.poll(std::chrono::milliseconds(0),
                                  [&](const nsl_candidate& candidate) { candidates.push_back(candidate); });
  if (!polled) return fail(polled.error());
  const auto repeats = sensor.repeats();
  if (!repeats) return fail(repeats.error());
  std::vector<std::string> lines;
  for (const auto& candidate : of(candidates, wires)) {
    const auto repeated = std::ranges::find(*repeats, candidate.told, &kernel::Repeats::told);
    lines.push_back(fmt::format("{} uid={} gid={} cgroup={} netns={} times={}", text_of(candidate, true),
                                candidate.sender.uid, candidate.sender.gid, candidate.sender.cgroup_id,
                                candidate.sender.network_namespace, repeated == repeats->end() ? 0 : repeated->count));
  }
  std::ranges::sort(lines);
  return lines;
}

// Beside the backend under test runs cgroup, which every kernel has (natively two of one kind, as two agents would be).
TEST(Telemetry, TwoBackendsHaveOneInventory) {
  auto options = observing(true);
  auto harness = Harness::start(options);
  NSL_ASSERT_OK(harness);
  NSL_ASSERT_OK(harness->list({canary_entry(), zone_entry()}));
  options.backend = kernel::Backend::cgroup;
  auto other = kernel::Sensor::start(options);
  NSL_ASSERT_OK(other);
  NSL_ASSERT_OK(other->publish(tables_of({canary_entry(), zone_entry()}), 1));

  const auto server6 = server_address(AddressKind::v6);
  std::vector<std::string> wires;
  for (int i = 0; i < 40; ++i) wires.push_back(i % 8 == 0 ? unique_name("hit") : unlisted("inventory"));
  const auto half = static_cast<std::ptrdiff_t>(wires.size() / 2);
  const std::vector<std::string> first(wires.begin(), wires.begin() + half), second(wires.begin() + half, wires.end());
  for (int round = 0; round < 3; ++round) {
    const auto one = run_child("sender", [&]() -> Result<void> {
      if (auto sent = send_all(first); !sent) return sent;
      return send_all(first, type_txt);
    });
    NSL_ASSERT_OK(one.result);
    const auto two = run_child("other", [&]() -> Result<void> {
      for (const auto& wire : second) {
        if (auto sent = send_connected_send(server6, {query(wire)}); !sent) return sent;
        if (auto sent = send_sendmsg(server(), {query(wire)}); !sent) return sent;
      }
      return send_all(first);
    });
    NSL_ASSERT_OK(two.result);
  }

  const auto ours = inventory(harness->sensor(), wires);
  NSL_ASSERT_OK(ours);
  const auto others = inventory(*other, wires);
  NSL_ASSERT_OK(others);
  EXPECT_GE(ours->size(), wires.size());
  EXPECT_EQ(*ours, *others);
  const bool same = *ours == *others;
  report_case("telemetry_inventory", same ? "seen" : "failed(they differ)");
}

}  // namespace
}  // namespace nslookout::kernel_test
