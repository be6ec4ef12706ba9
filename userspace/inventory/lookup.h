// What was asked, by whom and how often: the unit of the history, of reports and of comparisons.
//
// Lookups of one name and record type by one program (executable, script and command of its nearest starter that names one),
// in one package, CI step and container are one Lookup, however many processes made them.
// Thread rule: values, no sharing.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "event/event.h"

namespace nslookout::inventory {

struct Lookup {
  event::Event event;  // the first of them, whole
  WallTime first;
  WallTime last;
  std::uint64_t count = 0;
  std::vector<event::Rule> rules;  // that matched any of them, each once
  event::Action action = event::Action::unspecified;  // the strongest: blocked, would_block, audited
};

}  // namespace nslookout::inventory
