// Processes, who started them, and the names that each asked: what the page (page.h) shows.
//
//   Tree tree;
//   tree.begin_file();
//   read_events(path, [&](const event::Event& event) { tree.add(event, since); … });
//   page_html(tree, …)
//
// A process is known by host, boot, pid, start time and executable: what a shell `exec`s is another one beside it. Start times
// are taken for one within a second: each event converts them from the clock of the boot anew. A process's
// ancestors are processes of the tree whether or not they asked for anything. A lookup here is all that one process asked of
// one name, whatever the record types.
// Invariants: a parent comes before its children; at most max_lookups without rules and as many with; what did not fit is
// counted. Strings are as the events have them, hostile ones included.
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "event/event.h"
#include "inventory/lookup.h"
#include "report/losses.h"

namespace nslookout::report {

inline constexpr std::size_t max_lookups = 50'000;

// How many lookups when: counts of equal spans, of which there are few however long it goes on. The first span is a
// millisecond; when there are too many, each two become one.
class Times {
 public:
  static constexpr std::size_t max_spans = 48;

  void add(WallTime when, std::uint64_t count);

  [[nodiscard]] std::int64_t span_ms() const { return span_ms_; }
  // By the number of the span since 1970.
  [[nodiscard]] const std::map<std::int64_t, std::uint64_t>& counts() const { return counts_; }

 private:
  std::int64_t span_ms_ = 1;
  std::map<std::int64_t, std::uint64_t> counts_;
};

struct TreeProcess {
  std::optional<std::size_t> parent;  // its place in processes()
  event::Process process;             // its own ancestors are left out
  std::string package, container, pod, step, host;
};

struct TreeLookup {
  std::size_t process = 0;  // its place in processes()
  std::string name;
  std::set<std::string> types;
  std::uint64_t count = 0;
  WallTime first, last;
  Times times;
  event::Action action = event::Action::unspecified;  // the gravest
  std::vector<event::Rule> rules;                     // each once
};

class Tree {
 public:
  // from_first: as in losses.h.
  explicit Tree(bool from_first = false) : losses_(from_first) {}

  // The events or lookups that follow are of another file.
  void begin_file() { losses_.begin_file(); }
  // Earlier ones than since are not shown; that the sensor numbered them counts.
  void add(const event::Event& event, WallTime since);
  // Of a history: what is known of its times are the first and the last.
  void add(const inventory::Lookup& lookup);
  void add_gap(std::string sentence) { losses_.add_gap(std::move(sentence)); }

  [[nodiscard]] const std::vector<TreeProcess>& processes() const { return processes_; }
  [[nodiscard]] const std::vector<TreeLookup>& lookups() const { return lookups_; }
  [[nodiscard]] const std::set<std::string>& hosts() const { return hosts_; }
  [[nodiscard]] std::vector<std::string> losses() const;

 private:
  // host, boot, pid, executable (or comm)
  using ProcessKey = std::tuple<std::string, std::string, std::uint32_t, std::string>;

  void merge(const event::Event& event, const inventory::Lookup& more);
  std::size_t place_of(const event::Event& event);
  std::size_t place(const event::Event& event, const event::Process& process, std::optional<std::size_t> parent);
  TreeLookup* entry(const event::Event& event, bool matched);

  std::vector<TreeProcess> processes_;
  std::map<ProcessKey, std::vector<std::size_t>> by_key_;
  std::vector<TreeLookup> lookups_;
  std::map<std::pair<std::size_t, std::string>, std::size_t> by_name_;
  std::set<std::string> hosts_;
  std::size_t matched_ = 0;  // of lookups_: with rules
  std::uint64_t left_out_ = 0;
  Losses losses_;
};

}  // namespace nslookout::report
