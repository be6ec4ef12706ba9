// What the groupings of this folder have in common: which events count as lookups, and how their parts are named.
//
// A lookup is a query that a client sent. A forwarder's copy of one that is known to be a client's is not counted again; a
// response that made a rule come true marks the name that it answers. Names are those that programs asked for: before a
// search suffix where the event says so.
// Thread rule: pure functions.
#pragma once

#include <string>
#include <vector>

#include "event/event.h"

namespace nslookout::report {

// Whether the event belongs in a report: it is a lookup, or has rules for one.
[[nodiscard]] bool is_told(const event::Event& event);
[[nodiscard]] bool asks(event::Kind kind);

[[nodiscard]] const std::string& asked_name(const event::Event& event);
// "build / install"; empty: outside any CI step
[[nodiscard]] std::string step_of(const event::Event& event);
// The file name of an executable, without its folders; the name in comm where there is no path.
[[nodiscard]] std::string program_name(const event::Process& process);

// Adds those that are not there.
void add_rules(std::vector<event::Rule>& rules, const std::vector<event::Rule>& more);
// The rank of the gravest rule's level (base/level.h), 0 without one, and its name; "medium" for a missing one.
[[nodiscard]] int rank_of(const std::vector<event::Rule>& rules);
[[nodiscard]] std::string level_of(const std::vector<event::Rule>& rules);
// "blocked", "would block", "matched" or ""
[[nodiscard]] std::string outcome_of(const std::vector<event::Rule>& rules, event::Action action);

}  // namespace nslookout::report
