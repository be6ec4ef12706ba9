#include "harness.h"

#include <arpa/inet.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <utility>

#include "base/dns_name.h"
#include "child.h"
#include "network_namespace.h"
#include "sender.h"
#include "sink.h"
#include "wire.h"

namespace nslookout::kernel_test {

namespace {

constexpr std::array<std::string_view, NSL_COUNTER_MAX> counter_names = {
#define NSL_COUNTER_NAME(name, text) #name,
    NSL_COUNTERS(NSL_COUNTER_NAME)
#undef NSL_COUNTER_NAME
};

std::string fixed_text(const char (&text)[NSL_COMM]) {  // NOLINT(modernize-avoid-c-arrays): the ABI's own type
  return {text, std::find(text, text + NSL_COMM, '\0')};
}

std::string address_text(std::uint8_t family, const nsl_u8* octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family == 6 ? AF_INET6 : AF_INET, octets, text.data(), text.size());
  return text.data();
}

std::string outcome_text(const Visibility& visibility, bool was_seen) {
  if (was_seen) return "seen";
  const auto counter = visibility.counter == NSL_COUNTER_MAX ? "none" : counter_names.at(visibility.counter);
  return fmt::format("unseen({})", counter);
}

const Visibility& of_backend(const PerBackend& visibility) {
  switch (backend_under_test()) {
    case kernel::Backend::fentry:
      return visibility.fentry;
    case kernel::Backend::kprobe:
      return visibility.kprobe;
    default:
      return visibility.cgroup;
  }
}

std::string canary_name(std::uint32_t number) { return wire_name(fmt::format("n{}.canary.{}", number, zone())); }

}  // namespace

std::string name_of(const nsl_candidate& candidate) {
  return {reinterpret_cast<const char*>(candidate.name), std::min<std::size_t>(candidate.name_length, 255)};
}

std::string server_text(AddressKind kind) { return kind == AddressKind::v6 ? "::1" : "127.0.0.77"; }
std::uint8_t family_of(AddressKind kind) { return kind == AddressKind::v6 ? 6 : 4; }

std::string text_of(const Expected& expected) {
  auto text = fmt::format("{} type={} {} v{} server={}:{} pid={} comm={}", wire_to_presentation(expected.name),
                          expected.type, expected.transport == NSL_TCP ? "tcp" : "udp", expected.family,
                          expected.server, expected.port, expected.pid, expected.comm);
  if (expected.before_nat) text += " before-nat";
  if (expected.tid != 0) text += fmt::format(" tid={} thread={}", expected.tid, expected.thread_comm);
  return text;
}

std::string text_of(const nsl_candidate& candidate, bool with_thread) {
  return text_of(Expected{
      .name = name_of(candidate),
      .type = candidate.record_type,
      .family = candidate.family,
      .transport = candidate.transport,
      .server = address_text(candidate.family, candidate.server),
      .port = candidate.server_port,
      .pid = static_cast<pid_t>(candidate.sender.process.tgid),
      .tid = with_thread ? static_cast<pid_t>(candidate.sender.tid) : 0,
      .comm = fixed_text(candidate.sender.comm),
      .thread_comm = fixed_text(candidate.sender.thread_comm),
      .before_nat = (candidate.flags & NSL_FLAG_SERVER_BEFORE_NAT) != 0,
  });
}

kernel::Backend backend_under_test() {
  const char* name = std::getenv("NSLOOKOUT_TEST_BACKEND");
  if (name == nullptr) return kernel::Backend::cgroup;
  return kernel::backend_from_name(name).value_or(kernel::Backend::automatic);
}

void report_case(std::string_view name, std::string_view outcome) {
  std::cout << "case " << name << ' ' << kernel::backend_name(backend_under_test()) << ' ' << outcome << std::endl;
}

const std::string& zone() {
  static const std::string text = fmt::format("r{:08x}.seen.test", std::random_device{}());
  return text;
}

std::string unique_name(std::string_view stem) {
  static std::uint32_t number = 0;
  return wire_name(fmt::format("{}-{}.{}", stem, ++number, zone()));
}

ListedName zone_entry() { return {.wire = wire_name(zone()), .exact = false, .below = true}; }

compile::KernelTables tables_of(const std::vector<ListedName>& names, bool every_query) {
  std::vector<compile::KernelName> views;
  for (const auto& name : names) {
    views.push_back({.wire = name.wire, .exact = name.exact, .below = name.below, .verdict = name.verdict});
  }
  return compile::build_kernel_tables({.names = views, .every_query = every_query}, compile::Seeds::random());
}

ListedName canary_entry() { return {.wire = wire_name("canary." + zone()), .exact = false, .below = true}; }

void report_programs(const std::vector<kernel::ProgramReport>& programs) {
  static std::set<std::string> reported;
  for (const kernel::ProgramReport& program : programs) {
    if (!reported.insert(program.name).second) continue;
    std::cout << fmt::format("program {} verified={} loaded={}\n", program.name, program.verified_instructions,
                             program.loaded_instructions);
  }
}

Result<Harness> Harness::start(kernel::SensorOptions options) {
  options.backend = backend_under_test();
  static const std::string longest(NSL_VARIABLE_NAME - 1, 'L');
  options.environment_names = {"CI", "npm_package_name", longest};
  auto sensor = kernel::Sensor::start(options);
  if (!sensor) return fail(sensor.error());
  report_programs(sensor->choice().programs);
  Harness harness(std::move(*sensor));
  if (auto listed = harness.list({zone_entry()}); !listed) return fail(listed.error());
  return harness;
}

Result<void> Harness::list(std::vector<ListedName> names, bool every_query) {
  names.push_back(canary_entry());
  return publish(tables_of(names, every_query), every_query);
}

Result<void> Harness::publish(const compile::KernelTables& tables, bool every_query) {
  every_query_ = every_query;
  return sensor_.publish(tables, ++generation_);
}

Result<std::vector<nsl_candidate>> Harness::collect() {
  const auto canary = canary_name(++canaries_);
  const auto sent = run_child("canary", [&] { return send_sendto(server_address(AddressKind::v4), {query(canary)}); });
  if (!sent.result) return fail(sent.result.error().context("sending the canary"));

  std::vector<nsl_candidate> candidates;
  const auto own_namespace = network_namespace_inode();
  bool canary_came = false;
  const auto keep = [&](const nsl_candidate& candidate) {
    const bool sees_all = every_query_ || candidate.transport == NSL_VARLINK || candidate.transport == NSL_NSCD;
    if (name_of(candidate) == canary) {
      canary_came = true;
    } else if (!canary_came && (!sees_all || candidate.sender.network_namespace == own_namespace)) {
      candidates.push_back(candidate);
    }
  };
  const auto keep_response = [&](const nsl_response& head, std::string_view octets) {
    responses_.push_back({head, std::string(octets)});
  };
  const auto deadline = std::chrono::steady_clock::now() + wait_bound;
  while (!canary_came) {
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(ErrorClass::runtime, "the canary was not seen; {} candidates before it; counters:{}",
                  candidates.size(), text_of(counters()));
    }
    if (auto polled = sensor_.poll(std::chrono::milliseconds(100), keep, keep_response); !polled)
      return fail(polled.error());
  }
  return candidates;
}

std::string text_of(const kernel::Counters& counters) {
  std::string text;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    if (counters[i] != 0) text += fmt::format(" {}={}", counter_names.at(i), counters[i]);
  }
  return text;
}

kernel::Counters Harness::counters() const {
  auto counters = sensor_.counters();
  if (!counters) {
    ADD_FAILURE() << counters.error().message;
    return kernel::Counters(NSL_COUNTER_MAX, 0);
  }
  return *counters;
}

void check_case(std::string_view name, const PerBackend& visibility, const std::vector<Expected>& expected,
                const std::vector<nsl_candidate>& candidates, const kernel::Counters& before,
                const kernel::Counters& after) {
  const auto& here = of_backend(visibility);
  const bool with_thread = std::ranges::all_of(expected, [](const auto& one) { return one.tid != 0; });
  std::vector<std::string> wanted;
  std::vector<std::string> came;
  for (const auto& one : expected) wanted.push_back(text_of(one));
  for (const auto& one : candidates) came.push_back(text_of(one, with_thread));
  std::ranges::sort(wanted);
  std::ranges::sort(came);

  const bool nothing_came = came.empty() && !wanted.empty();
  if (here.kind == Visibility::Kind::unseen || (here.kind == Visibility::Kind::either && nothing_came)) {
    EXPECT_EQ(came, std::vector<std::string>{});
    if (here.counter != NSL_COUNTER_MAX) {
      EXPECT_GT(after.at(here.counter), before.at(here.counter)) << counter_names.at(here.counter);
    }
  } else {
    EXPECT_EQ(came, wanted);
  }
  const bool as_expected = came.empty() || came == wanted;
  report_case(name, as_expected ? outcome_text(here, !came.empty()) : "failed");
}

namespace {

// gtest runs one suite after the other, so one sensor at a time is enough.
std::unique_ptr<Harness>& suite_harness() {
  static std::unique_ptr<Harness> harness;
  return harness;
}

}  // namespace

void SensorSuite::SetUpTestSuite() {
  auto harness = Harness::start();
  ASSERT_TRUE(harness.has_value()) << harness.error().message;
  suite_harness() = std::make_unique<Harness>(std::move(*harness));
}

void SensorSuite::TearDownTestSuite() { suite_harness().reset(); }

void SensorSuite::SetUp() {
  if (suite_harness() == nullptr) FAIL() << "no sensor for this suite";
  const auto listed = suite_harness()->list({zone_entry()});
  ASSERT_TRUE(listed.has_value()) << listed.error().message;
}

Harness& SensorSuite::harness() { return *suite_harness(); }

}  // namespace nslookout::kernel_test
