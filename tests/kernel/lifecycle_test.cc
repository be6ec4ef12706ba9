// The sensor as a thing that starts, reloads, overflows and dies (field cases 54, 71 to 75, 81): each test has sensors
// of its own.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <set>

#include "cgroup.h"
#include "child.h"
#include "harness.h"
#include "network_namespace.h"
#include "sender.h"
#include "sink.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

const SocketAddress& server() {
  static const auto address = server_address(AddressKind::v4);
  return address;
}

// One socket, count queries for wire with the ids 0, 1, 2 … (Not connected: nobody listens, and nobody is told so.)
Result<void> send_many(const std::string& wire, std::uint32_t count) {
  const auto fd = open_socket(server(), SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  auto payload = query(wire, type_a, 0);
  for (std::uint32_t i = 0; i < count; ++i) {
    payload.replace(0, 2, big_endian16(static_cast<std::uint16_t>(i)));
    if (auto sent = send_to_on(fd->get(), server(), payload); !sent) return sent;
  }
  return {};
}

std::vector<Expected> one_of(const std::string& wire, pid_t pid) { return {{.name = wire, .pid = pid, .tid = pid}}; }

// Connected before the sensor was there: nothing was noted of the socket, and its send is seen all the same.
TEST(Lifecycle, SocketConnectedBeforeTheSensor) {
  const auto wire = unique_name("early");
  Gate connected;
  Gate started;
  auto child = Child::start("sender", [&]() -> Result<void> {
    const auto fd = connect_socket(server(), SOCK_DGRAM);
    if (!fd) return fail(fd.error());
    connected.open();
    if (auto opened = started.wait(); !opened) return opened;
    return send_on(fd->get(), query(wire));
  });
  NSL_ASSERT_OK(child);
  NSL_ASSERT_OK(connected.wait());
  auto harness = Harness::start();
  NSL_ASSERT_OK(harness);
  const auto before = harness->counters();
  started.open();
  NSL_ASSERT_OK(child->wait());
  const auto candidates = harness->collect();
  NSL_ASSERT_OK(candidates);
  check_case("connected_before_sensor", seen_everywhere, one_of(wire, child->pid()), *candidates, before,
             harness->counters());
  // The process is older than the sensor too: its entry is made at its first candidate.
  ASSERT_EQ(candidates->size(), 1U);
  EXPECT_TRUE(harness->sensor().process(candidates->front().sender.process).has_value());
}

TEST(Lifecycle, TwoSensorsSeeTheSame) {
  auto first = Harness::start();
  NSL_ASSERT_OK(first);
  auto second = Harness::start();
  NSL_ASSERT_OK(second);
  const auto wire = unique_name("both");
  const auto before = first->counters();
  const auto run = run_child("sender", [&] { return send_sendto(server(), {query(wire)}); });
  NSL_ASSERT_OK(run.result);
  for (auto* harness : {&*first, &*second}) {
    const auto candidates = harness->collect();
    NSL_ASSERT_OK(candidates);
    std::vector<std::string> came;
    for (const auto& one : *candidates) {
      // The canary of the first harness is a candidate of the second.
      if (name_of(one) == wire) came.push_back(text_of(one, true));
    }
    EXPECT_EQ(came, std::vector<std::string>{text_of(one_of(wire, run.pid).front())});
  }
  report_case("two_sensors", "seen");
}

// Another agent's program on the same hook runs before, while and after the sensor does.
TEST(Lifecycle, ForeignProgramOnTheCgroupStays) {
  const auto foreign = ForeignProgram::attach();
  if (!foreign && foreign.error().kind == ErrorClass::unsupported) GTEST_SKIP() << foreign.error().message;
  NSL_ASSERT_OK(foreign);
  const auto alone = egress_programs();
  NSL_ASSERT_OK(alone);
  {
    auto harness = Harness::start();
    NSL_ASSERT_OK(harness);
    const auto together = egress_programs();
    NSL_ASSERT_OK(together);
    EXPECT_TRUE(std::ranges::includes(*together, *alone));
    const auto packets_before = foreign->packets();
    NSL_ASSERT_OK(packets_before);
    const auto wire = unique_name("foreign");
    const auto before = harness->counters();
    const auto run = run_child("sender", [&] { return send_sendto(server(), {query(wire)}); });
    NSL_ASSERT_OK(run.result);
    const auto candidates = harness->collect();
    NSL_ASSERT_OK(candidates);
    check_case("foreign_program_beside", seen_everywhere, one_of(wire, run.pid), *candidates, before,
               harness->counters());
    const auto packets_after = foreign->packets();
    NSL_ASSERT_OK(packets_after);
    EXPECT_GE(*packets_after, *packets_before + 2);  // the query and the canary
  }
  const auto after = egress_programs();
  NSL_ASSERT_OK(after);
  EXPECT_TRUE(std::ranges::includes(*after, *alone));
}

// A reload loses no query and never shows half a rule set.
TEST(Lifecycle, GenerationsSwappedUnderFire) {
  constexpr std::uint32_t count = 20'000;
  auto harness = Harness::start();
  NSL_ASSERT_OK(harness);
  const auto wire = unique_name("swap");
  // Two tables of different size and seed; the name is in both.
  std::vector<ListedName> small = {{.wire = wire, .exact = true}};
  std::vector<ListedName> large = {zone_entry()};
  for (int i = 0; i < 3000; ++i) large.push_back({.wire = wire_name(fmt::format("n{}.example", i)), .exact = true});
  const std::array tables{tables_of(small), tables_of(large)};

  auto& sensor = harness->sensor();
  std::uint32_t generation = harness->generation();
  NSL_ASSERT_OK(sensor.publish(tables[0], ++generation));
  const auto first_generation = generation;
  auto child = Child::start("sender", [&] { return send_many(wire, count); });
  NSL_ASSERT_OK(child);
  std::vector<std::uint32_t> ids;
  std::vector<std::uint32_t> generations;
  const auto keep = [&](const nsl_candidate& candidate) {
    if (name_of(candidate) != wire) return;
    ids.push_back(candidate.id);
    generations.push_back(candidate.generation);
  };
  // The sender is done when all have come; a lost one shows when nothing more does.
  const auto deadline = std::chrono::steady_clock::now() + wait_bound;
  while (ids.size() < count && std::chrono::steady_clock::now() < deadline) {
    NSL_ASSERT_OK(sensor.publish(tables.at((generation + 1) % 2), generation + 1));
    ++generation;
    NSL_ASSERT_OK(sensor.poll(std::chrono::milliseconds(0), keep));
  }
  NSL_ASSERT_OK(child->wait());
  std::vector<std::uint32_t> all(count);
  for (std::uint32_t i = 0; i < count; ++i) all[i] = i;
  EXPECT_EQ(ids, all);
  EXPECT_TRUE(std::ranges::is_sorted(generations));
  EXPECT_GE(generations.front(), first_generation);
  EXPECT_LE(generations.back(), generation);
  EXPECT_GT(std::set<std::uint32_t>(generations.begin(), generations.end()).size(), 1U) << "no swap took place";
  report_case("generations_under_fire", "seen");
}

// A reader that stands still loses candidates, and every one of them is counted.
TEST(Lifecycle, RingOverflowIsCounted) {
  constexpr std::uint32_t count = 20'000;
  auto harness = Harness::start({.ring_octets = 64U << 10});
  NSL_ASSERT_OK(harness);
  const auto wire = unique_name("flood");
  NSL_ASSERT_OK(harness->list({{.wire = wire, .exact = true}}));
  const auto before = harness->counters();
  const auto run = run_child("sender", [&] { return send_many(wire, count); });
  NSL_ASSERT_OK(run.result);
  const auto after = harness->counters();
  std::uint64_t received = 0;
  const auto keep = [&](const nsl_candidate& candidate) { received += name_of(candidate) == wire ? 1 : 0; };
  NSL_ASSERT_OK(harness->sensor().poll(std::chrono::milliseconds(0), keep));
  const auto lost = after.at(NSL_COUNT_ring_full) - before.at(NSL_COUNT_ring_full);
  EXPECT_EQ(received + lost, count);
  EXPECT_GT(lost, 0U);
  EXPECT_GT(received, 0U);
  EXPECT_EQ(after.at(NSL_COUNT_candidates) - before.at(NSL_COUNT_candidates), received);
  report_case("ring_overflow", "seen");

  // And the sensor sees again.
  const auto again = unique_name("again");
  NSL_ASSERT_OK(harness->list({{.wire = again, .exact = true}}));
  const auto later = run_child("sender", [&] { return send_sendto(server(), {query(again)}); });
  NSL_ASSERT_OK(later.result);
  const auto candidates = harness->collect();
  NSL_ASSERT_OK(candidates);
  ASSERT_EQ(candidates->size(), 1U);
  EXPECT_EQ(text_of(candidates->front(), true), text_of(one_of(again, later.pid).front()));
}

std::set<std::string> program_names(const kernel::Sensor& sensor) {
  std::set<std::string> names;
  for (const auto& program : sensor.choice().programs) names.insert(program.name.substr(0, 15));
  return names;
}

// Waits until no program of `gone` is loaded: the kernel frees them a moment after their last reference.
bool wait_until_unloaded(const std::set<std::string>& names, const std::set<std::uint32_t>& gone) {
  const auto deadline = std::chrono::steady_clock::now() + wait_bound;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto loaded = loaded_programs(names);
    if (!loaded) return false;
    if (std::ranges::none_of(gone, [&](auto id) { return loaded->contains(id); })) return true;
    ::usleep(1000);
  }
  return false;
}

// The names of the programs, joined by spaces, from the process that runs the sensor.
std::set<std::string> read_names(int fd) {
  std::array<char, 4096> text{};
  const auto octets = wait_readable(fd) ? ::read(fd, text.data(), text.size()) : 0;
  std::set<std::string> names;
  std::string name;
  for (const char c : std::string_view(text.data(), octets > 0 ? static_cast<std::size_t>(octets) : 0)) {
    if (c != ' ') {
      name.push_back(c);
    } else {
      names.insert(std::exchange(name, {}));
    }
  }
  return names;
}

// However the process dies, nothing of it stays in the kernel, and a new one starts.
TEST(Lifecycle, KilledProcessLeavesNothing) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const auto before = loaded_programs({});
  NSL_ASSERT_OK(before);
  auto child = Child::start("sensor", [&]() -> Result<void> {
    auto harness = Harness::start();
    if (!harness) return fail(harness.error());
    std::string text;
    for (const auto& name : program_names(harness->sensor())) text += name + ' ';
    if (auto sent = check_sent(::write(write_end.get(), text.data(), text.size()), text.size(), "write"); !sent) {
      return sent;
    }
    ::pause();
    return {};
  });
  NSL_ASSERT_OK(child);
  write_end.reset();  // so that a child that dies early ends the wait
  const auto names = read_names(read_end.get());
  ASSERT_FALSE(names.empty()) << "the sensor did not start";
  const auto during = loaded_programs(names);
  NSL_ASSERT_OK(during);
  std::set<std::uint32_t> of_the_child;
  std::ranges::set_difference(*during, *before, std::inserter(of_the_child, of_the_child.end()));
  EXPECT_GE(of_the_child.size(), names.size());
  const auto attached_during = egress_programs();
  NSL_ASSERT_OK(attached_during);
  child->kill();
  EXPECT_FALSE(child->wait().has_value());
  EXPECT_TRUE(wait_until_unloaded(names, of_the_child));
  const auto attached_after = egress_programs();
  NSL_ASSERT_OK(attached_after);
  for (const auto id : of_the_child) EXPECT_FALSE(attached_after->contains(id)) << "still attached: " << id;
  if (backend_under_test() == kernel::Backend::cgroup) {
    EXPECT_TRUE(std::ranges::any_of(of_the_child, [&](auto id) { return attached_during->contains(id); }));
  }

  auto again = Harness::start();
  NSL_ASSERT_OK(again);
  NSL_ASSERT_OK(again->collect());
  report_case("killed_sensor_leaves_nothing", "seen");
}

TEST(Lifecycle, DestroyedSensorLeavesNothing) {
  std::set<std::string> names;
  std::set<std::uint32_t> own;
  {
    auto harness = Harness::start();
    NSL_ASSERT_OK(harness);
    names = program_names(harness->sensor());
    const auto loaded = loaded_programs(names);
    NSL_ASSERT_OK(loaded);
    own = *loaded;
    ASSERT_FALSE(own.empty());
  }
  EXPECT_TRUE(wait_until_unloaded(names, own));
}

TEST(Lifecycle, RefusedOptionsAttachNothing) {
  const auto before = egress_programs();
  NSL_ASSERT_OK(before);
  EXPECT_FALSE(Harness::start({.ports = {}}).has_value());
  EXPECT_FALSE(Harness::start({.ports = std::vector<std::uint16_t>(NSL_PORTS_MAX + 1, 53)}).has_value());
  EXPECT_FALSE(Harness::start({.ring_octets = 12345}).has_value());
  const auto after = egress_programs();
  NSL_ASSERT_OK(after);
  EXPECT_EQ(*after, *before);
}

}  // namespace
}  // namespace nslookout::kernel_test
