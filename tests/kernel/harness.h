// A running sensor and the questions a test puts to it.
//
// Exactly once and never are proven without sleeping: after a case has sent, another child sends a canary query. The
// ring keeps the order of sending, so when the canary's candidate has come, everything before it has come too.
// The sensor watches the whole machine; names carry a token of this run, so that other traffic never answers for ours.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "address.h"
#include "kernel/sensor.h"

namespace nslookout::kernel_test {

// A name of the tables, owned (compile::KernelName is a view).
struct ListedName {
  std::string wire;  // lower case
  bool exact = false;
  bool below = false;
  std::uint32_t verdict = 0;  // NSL_NAME_BLOCK_*, NSL_NAME_ALLOW_*
};

// Tables of these names under random seeds.
[[nodiscard]] compile::KernelTables tables_of(const std::vector<ListedName>& names, bool every_query = false);

// What one backend is expected to do with a case.
struct Visibility {
  enum class Kind { seen, unseen, either } kind = Kind::seen;
  nsl_counter counter = NSL_COUNTER_MAX;  // the counter that shows what was not seen; NSL_COUNTER_MAX: none does
};

struct PerBackend {
  Visibility cgroup, fentry, kprobe;
};

inline constexpr Visibility seen{};
[[nodiscard]] constexpr Visibility unseen(nsl_counter counter = NSL_COUNTER_MAX) {
  return {Visibility::Kind::unseen, counter};
}
// Kernel versions differ: seen whole, or not seen and counted.
[[nodiscard]] constexpr Visibility seen_or(nsl_counter counter) { return {Visibility::Kind::either, counter}; }

inline constexpr PerBackend seen_everywhere{};
[[nodiscard]] constexpr PerBackend egress_only(Visibility otherwise = unseen()) { return {seen, otherwise, otherwise}; }

// One candidate as a case expects it; compared as text, so that a failure reads well.
struct Expected {
  std::string name;  // wire form, case as sent
  std::uint16_t type = 1;
  std::uint8_t family = 4;
  std::uint8_t transport = NSL_UDP;
  std::string server = "127.0.0.77";
  std::uint16_t port = 53;
  pid_t pid = 0;
  pid_t tid = 0;  // 0: not compared, and the thread's name neither
  std::string comm = "sender";
  std::string thread_comm = "sender";
  bool before_nat = false;  // NSL_FLAG_SERVER_BEFORE_NAT
};

[[nodiscard]] std::string text_of(const Expected& expected);
[[nodiscard]] std::string text_of(const nsl_candidate& candidate, bool with_thread);
[[nodiscard]] std::string name_of(const nsl_candidate& candidate);

// The name of a server address as text_of() prints it.
[[nodiscard]] std::string server_text(AddressKind kind);
[[nodiscard]] std::uint8_t family_of(AddressKind kind);

// NSLOOKOUT_TEST_BACKEND, or cgroup.
[[nodiscard]] kernel::Backend backend_under_test();

// "case <name> <backend> <outcome>" on stdout, for the table of docs/kernels.md.
void report_case(std::string_view name, std::string_view outcome);

struct CapturedResponse {
  nsl_response head{};
  std::string octets;
};

// For the table of docs/kernels.md and the limit of tests/vm/results.py: each program once, when it is first loaded. Sensors differ
// in what they load (responses, ways around them, Unix sockets).
void report_programs(const std::vector<kernel::ProgramReport>& programs);

class Harness {
 public:
  // The backend is always the one under test, the listed variables CI, npm_package_name and the longest possible name.
  [[nodiscard]] static Result<Harness> start(kernel::SensorOptions options = {});

  // Makes these names (and the canary's) the listed ones. every_query: everything is a candidate; then only candidates
  // of the test's own network namespace are handed out.
  [[nodiscard]] Result<void> list(std::vector<ListedName> names, bool every_query = false);

  // Makes these tables the ones in use; they must list the canary's names (canary_entry).
  [[nodiscard]] Result<void> publish(const compile::KernelTables& tables, bool every_query = false);

  // Sends a canary and returns all candidates before it. What came of responses meanwhile is kept for take_responses().
  [[nodiscard]] Result<std::vector<nsl_candidate>> collect();

  [[nodiscard]] std::vector<CapturedResponse> take_responses() { return std::exchange(responses_, {}); }

  [[nodiscard]] kernel::Counters counters() const;
  [[nodiscard]] kernel::Sensor& sensor() { return sensor_; }
  [[nodiscard]] std::uint32_t generation() const { return generation_; }

 private:
  explicit Harness(kernel::Sensor sensor) : sensor_(std::move(sensor)) {}
  kernel::Sensor sensor_;
  std::vector<CapturedResponse> responses_;
  std::uint32_t generation_ = 0;
  std::uint32_t canaries_ = 0;
  bool every_query_ = false;
};

// Those that are not zero, by name, as a failing test prints them.
[[nodiscard]] std::string text_of(const kernel::Counters& counters);

// Everything below this name is listed by most tests; it carries the token of this run.
[[nodiscard]] const std::string& zone();
// "<stem>-<number>.<zone>" in wire form, never the same twice.
[[nodiscard]] std::string unique_name(std::string_view stem);
// The zone as an entry of the tables.
[[nodiscard]] ListedName zone_entry();
[[nodiscard]] ListedName canary_entry();

// Compares what came with what one backend should do with the case, and reports the case.
void check_case(std::string_view name, const PerBackend& visibility, const std::vector<Expected>& expected,
                const std::vector<nsl_candidate>& candidates, const kernel::Counters& before,
                const kernel::Counters& after);

// Skips the test on an error of class unsupported (with its case line), fails it on any other.
#define NSL_REQUIRE_SENT(case_name, result)                           \
  do {                                                                \
    if (!(result)) {                                                  \
      const auto& nsl_error = (result).error();                       \
      if (nsl_error.kind == ::nslookout::ErrorClass::unsupported) {   \
        report_case(case_name, "skipped(" + nsl_error.message + ")"); \
        GTEST_SKIP() << nsl_error.message;                            \
      }                                                               \
      FAIL() << nsl_error.message;                                    \
    }                                                                 \
  } while (false)

#define NSL_ASSERT_OK(result)                                          \
  do {                                                                 \
    const auto& nsl_result = (result);                                 \
    ASSERT_TRUE(nsl_result.has_value()) << nsl_result.error().message; \
  } while (false)

// A suite with one sensor for all its tests.
class SensorSuite : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;
  [[nodiscard]] static Harness& harness();
};

}  // namespace nslookout::kernel_test
