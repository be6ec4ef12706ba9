// What a running agent tells of itself, at one moment: the one source of the metrics and of `nslookout status`.
//
// Counts are since the start of the agent and only ever grow. Invariant: no name that was looked up and no pid is in it,
// so that neither can end up in a label.
// Thread rule: a value.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace nslookout::health {

// Durations by upper limits, in seconds. Adding costs a comparison a limit and no allocation.
class Histogram {
 public:
  static constexpr std::array<double, 13> limits = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                    0.1,    0.25,  0.5,    1,     2.5,  5};

  // What is negative (a wall clock that was set back) counts as 0.
  void add(std::chrono::nanoseconds duration) {
    const double seconds = std::max(0.0, std::chrono::duration<double>(duration).count());
    std::size_t at = 0;
    while (at < limits.size() && seconds > limits[at]) ++at;
    ++counts_[at];
    sum_ += seconds;
  }

  // Of each limit alone, the last one of what is above all of them.
  [[nodiscard]] const std::array<std::uint64_t, limits.size() + 1>& counts() const { return counts_; }
  [[nodiscard]] double sum() const { return sum_; }

 private:
  std::array<std::uint64_t, limits.size() + 1> counts_{};
  double sum_ = 0;
};

// A count with the word that tells it from others of its kind.
struct Count {
  std::string of;
  std::uint64_t count = 0;
};

struct CounterValue {
  std::string name;  // of NSL_COUNTERS
  std::string help;
  std::uint64_t count = 0;
};

struct TableSize {
  std::string table;
  std::optional<std::uint64_t> entries;  // nothing: the kernel does not tell
  std::uint64_t capacity = 0;
};

struct ProgramRuns {
  std::string program;
  std::uint64_t runs = 0;
  std::chrono::nanoseconds time{0};
};

// A rule, a correlation or a list that is loaded.
struct RuleState {
  std::string id = {};
  std::string title = {};
  std::string level = {};
  std::string file = {};
  std::uint64_t hits = 0;
  std::string reach = {};          // "names", "every query", "never", "events of rules" (a correlation)
  std::uint64_t names = 0;         // entries that it has in the kernel's tables
  std::uint64_t texts = 0;         // the same, of the automaton
  std::uint64_t types = 0;         // record types that are let out for it
  std::string never_because = {};  // empty: it can fire
};

struct OutputState {
  std::string output;  // the specification without its options and without a password
  std::uint64_t written = 0;
  std::uint64_t lost = 0;
  std::uint64_t waiting = 0;  // in its queue and its spool
  bool finished = false;      // takes nothing any more
};

struct GenerationState {
  std::uint32_t number = 0;
  WallTime loaded;
  std::chrono::nanoseconds load_time{0};  // to read, compile and publish it
  std::uint64_t reloads = 0;
  std::uint64_t reload_failures = 0;
  std::string last_refusal;  // of the last reload; empty: it was taken
};

struct Snapshot {
  std::string version;
  std::string revision;  // empty outside a checkout
  WallTime started;
  std::string backend;
  std::string backend_reason;
  std::string mode;
  GenerationState generation;
  std::vector<RuleState> rules;
  std::vector<RuleState> correlations;
  std::vector<RuleState> lists;
  std::vector<CounterValue> counters;  // of the kernel programs
  std::vector<Count> lost;             // by stage, as KIND_LOSS events have it
  std::vector<Count> events;           // by kind
  std::vector<Count> hits;             // by level
  std::uint64_t verified = 0;          // candidates that the verifier was asked about
  std::uint64_t refused = 0;           // those of them for which no rule and no list is true
  std::uint64_t waiting = 0;           // events that wait for a container's name or for a response now
  std::uint64_t incomplete = 0;        // events written without the name of their container
  std::uint64_t lost_variables = 0;    // looks at a sender in which listed variables were known no more
  std::vector<OutputState> outputs;
  std::vector<TableSize> tables;
  std::vector<ProgramRuns> programs;  // empty unless the kernel counts (kernel.bpf_stats_enabled)
  Histogram latency;                  // from the lookup in the kernel to the outputs
};

}  // namespace nslookout::health
