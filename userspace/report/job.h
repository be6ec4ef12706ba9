// What a job looked up: its events grouped by CI step, package and name, and what is not known of it.
//
// What counts as a lookup, and by which name, is said in grouping.h.
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
#include "report/losses.h"

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
  void add_gap(std::string sentence) { losses_.add_gap(std::move(sentence)); }

  // In the order of steps as they came, then package, then name.
  [[nodiscard]] std::vector<const Asked*> names() const;
  // Those with rules alone: blocked first, then by level, then as in names().
  [[nodiscard]] std::vector<const Asked*> matched() const;
  [[nodiscard]] Totals totals() const;
  // One sentence for each thing that was lost; empty: nothing was.
  [[nodiscard]] std::vector<std::string> losses() const;

 private:
  Asked* entry(const event::Event& event);

  std::map<std::tuple<std::string, std::string, std::string>, Asked> asked_;
  std::map<std::string, std::size_t> step_order_;
  Losses losses_{true};
  std::uint64_t left_out_ = 0;
};

}  // namespace nslookout::report
