// A capture in, events out: the same rules, parser and verifier as a run, on packets of a file.
//
// Events are those of a run, with the packet's time and without what a capture does not tell: process, container, host.
// Whether two lookups are one cannot be told without the process, so each match is an alert of its own.
// Thread rule: one replay at a time per sink.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/sources.h"
#include "base/result.h"
#include "capture/counts.h"

namespace nslookout::agent {

struct ReplayOptions {
  std::string file = {};                // "-": standard input
  std::vector<std::string> rules = {};  // files or directories
  RuleLoading rule_loading = {};
  std::vector<std::string> lists = {};    // exact:FILE, suffix:FILE
  std::vector<std::string> outputs = {};  // specifications of sink/sink.h
  std::string observe = "matches";        // matches, all, unique
  bool responses = false;                 // the response to each reported query, too
  std::vector<std::uint16_t> ports = {53};
};

struct ReplayOutcome {
  capture::Counts counts;
  std::uint64_t matches = 0;        // lookups for which a rule or a list matched
  std::uint64_t events = 0;         // written to every sink
  std::uint64_t lost = 0;           // refused by a sink
  std::set<int> unread_link_types;  // of the packets counted as such
  std::optional<Error> damage;      // the capture ends before its end: what came before was replayed
};

// Errors, before the first packet: invalid (rules, lists; not a capture), usage (outputs), runtime (files that cannot be
// opened).
[[nodiscard]] Result<ReplayOutcome> replay(const ReplayOptions& options);

}  // namespace nslookout::agent
