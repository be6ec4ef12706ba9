// Correlations at work: the events in the sliding window of each group, and when a correlation fires.
//
//   Correlator correlator(plan);
//   correlator.apply(hits, query, time);   // adds hits of correlations, takes out those of rules that serve them only
//
// An event counts for timespan after its time, both ends included. A correlation fires at an event at which its
// condition holds, unless it held at the event before in the same group and that one is in the window still: once for
// each time that it begins to hold. One lookup is one event, also where it makes several of the rules true. A fired
// correlation is itself an event, with the fields of the lookup that made it fire. An event without a group-by field, or
// without the field whose values are counted, does not count. Of several values of a field the first one groups, and each
// counts (of a tuple the first ones). Text is compared without case.
//
// Memory is bounded: groups beyond max_groups, and whatever goes beyond max_octets, push out the group that was longest
// without an event, entries beyond max_entries the oldest of their group; each is counted. Time that runs backwards is
// taken as standing still.
// The plan must outlive the correlator. Thread rule: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "match/verifier.h"
#include "sigma/correlation.h"

namespace nslookout::match {

class Correlator {
 public:
  using Time = std::chrono::nanoseconds;  // since any fixed point

  struct Limits {
    std::size_t max_groups = 10'000;                      // of one correlation
    std::size_t max_entries = sigma::max_counted_events;  // of one group
    std::size_t max_octets = 64U << 20;                   // of one correlation, with its groups' keys and values
  };
  struct Evictions {
    std::uint64_t groups = 0;
    std::uint64_t entries = 0;
  };

  explicit Correlator(const compile::Plan& plan) : Correlator(plan, Limits{}) {}
  Correlator(const compile::Plan& plan, const Limits& limits);

  void apply(std::vector<Hit>& hits, const Query& query, Time time);

  [[nodiscard]] const Evictions& evictions() const { return evictions_; }

 private:
  struct Entry {
    Time time{};
    std::size_t source = 0;
    std::string value;  // of value_count; of temporal the source, as text
    double number = 0;  // of the other value_ types
  };
  struct Group {
    std::deque<Entry> entries;  // ascending in time
    std::unordered_map<std::string, std::size_t> distinct;
    bool held = false;
    std::size_t octets = 0;
    std::list<std::string>::iterator age;
  };
  struct State {
    std::unordered_map<std::string, Group> groups;
    std::list<std::string> by_age;  // keys of groups, the longest without an event first
    std::size_t octets = 0;         // of all of them
  };

  // The keys of the groups that the event goes into are added to entered.
  void enter(std::size_t index, std::size_t source, const Query& query, std::set<std::string>& entered);
  [[nodiscard]] bool begins_to_hold(std::size_t index, const std::string& key);
  [[nodiscard]] static double measure(const sigma::Correlation& correlation, const Group& group);
  [[nodiscard]] std::vector<Entry> entries_of(const sigma::Correlation& correlation, std::size_t source,
                                              const Query& query) const;
  Group& group_of(State& state, const std::string& key, Time timespan);
  static void drop_oldest(State& state);
  // What it takes, with its share of Group::distinct.
  [[nodiscard]] static std::size_t octets_of(const Entry& entry) { return 2 * (sizeof entry + entry.value.size()); }
  static void add(State& state, Group& group, const Entry& entry, bool distinct);
  static void forget_first(State& state, Group& group);
  void forget_old(State& state, Group& group, Time timespan);

  const compile::Plan* plan_;
  Limits limits_;
  std::vector<State> states_;  // parallel to the plan's correlations
  Evictions evictions_;
  Time now_ = Time::min();
};

}  // namespace nslookout::match
