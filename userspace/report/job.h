// What a job looked up: its events grouped by CI step, package and name, and what is not known of it.
//
// A lookup is a query that a client sent. A forwarder's copy of one that is known to be a client's is not counted again; a
// response that made a rule come true marks the name that it answers. Names are those that programs asked for: before a
// search suffix where the event says so.
// Invariant: a name with rules is kept whatever their number; of the others the first max_names, the rest is counted.
// Strings are as the events have them, hostile ones included: what renders them escapes them.
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "event/event.h"

namespace nslookout::report {

inline constexpr std::size_t max_names = 200'000;
inline constexpr std::size_t max_programs = 16;  // of one name

struct Asked {
  std::string step;     // "build / install"; empty: outside any CI step
  std::string package;  // "npm plain-crypto-js 4.2.1 postinstall"; empty: of no package
  std::string name;
  std::set<std::string> types;     // "A", "AAAA"
  std::set<std::string> programs;  // file names of executables
  std::uint64_t lookups = 0;
  event::Action action = event::Action::unspecified;  // the gravest
  std::vector<event::Rule> rules;                     // each once

  [[nodiscard]] bool matched() const { return !rules.empty(); }
  // The rank of the gravest rule's level (base/level.h), 0 without one, and its name; "medium" for a missing one.
  [[nodiscard]] int rank() const;
  [[nodiscard]] std::string level() const;
  // "blocked", "would block", "matched" or ""
  [[nodiscard]] std::string outcome() const;
};

// Counts of names; a name of two steps is two.
struct Totals {
  std::size_t names = 0, matched = 0, blocked = 0, would_block = 0;
  std::uint64_t lookups = 0;
  int rank = 0;  // the gravest
  std::string level;
};

class Job {
 public:
  void add(const event::Event& event);
  // Something else that makes the record incomplete, as a sentence: "The agent ended before it was stopped."
  void add_gap(std::string sentence) { gaps_.push_back(std::move(sentence)); }

  // In the order of steps as they came, then package, then name.
  [[nodiscard]] std::vector<const Asked*> names() const;
  // Those with rules alone: blocked first, then by level, then as in names().
  [[nodiscard]] std::vector<const Asked*> matched() const;
  [[nodiscard]] Totals totals() const;
  // One sentence for each thing that was lost; empty: nothing was.
  [[nodiscard]] std::vector<std::string> losses() const;

 private:
  Asked* entry(const event::Event& event);
  void count_sequence(std::uint64_t sequence);

  std::map<std::tuple<std::string, std::string, std::string>, Asked> asked_;
  std::map<std::string, std::size_t> step_order_;
  std::map<std::string, std::uint64_t> lost_;  // by stage
  std::vector<std::string> gaps_;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t missing_ = 0;  // numbers that no event had
  std::uint64_t left_out_ = 0;
};

}  // namespace nslookout::report
