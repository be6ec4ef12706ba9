// A list of names for `--allow-only exact:FILE` (docs/lists.md, plain) that lets through what a job looked up.
//
// Invariants: what a rule or list matched is not proposed, and neither is a name that is not written in letters, digits,
// "-" and "_" alone: both stand in comments. The text is one for the same lookups, whatever their order. Comments are one line
// each, whatever programs and packages call themselves. Names are those that were sent, search suffixes included: it is
// those that blocking judges.
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "event/event.h"

namespace nslookout::report {

class AllowList {
 public:
  void add(const event::Event& event);

  // A registrable domain below which at least `collapse` names were asked for becomes "x" and "*.x"; 0: none does.
  [[nodiscard]] std::string text(std::size_t collapse) const;

 private:
  struct Domain {
    std::set<std::string> names, askers;
  };

  std::map<std::string, Domain> domains_;  // by registrable domain, or the name where it has none
  std::set<std::string> matched_, odd_;
};

}  // namespace nslookout::report
