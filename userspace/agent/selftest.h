// Whether the rules that are loaded fire here: for each of them a lookup that makes it true, through the kernel's programs
// to an event.
//
// The lookups go from a socket of this process to another one of it, on loopback in a network namespace that holds nothing
// else, so none leaves the machine; where no namespace may be made, on an address of 127.0.0.0/8 of the host's. An agent that
// runs beside is not touched, and sees the lookups as it sees any.
// Thread rule: one test at a time per process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/sources.h"
#include "base/result.h"

namespace nslookout::agent {

struct SelftestOptions {
  std::vector<std::string> rules;
  std::vector<std::string> lists;
  std::string backend = "auto";
  RuleLoading rule_loading;
};

struct RuleOutcome {
  enum class Kind : std::uint8_t { fired, silent, not_tested };
  Kind kind = Kind::silent;
  std::string id;
  std::string title;
  std::string file;
  std::string name;         // that was looked up, presentation form; empty: nothing was
  std::string record_type;  // likewise
  std::string reason;       // one sentence without a full stop, of what did not fire or was not tested
};

struct SelftestReport {
  std::string backend;
  std::vector<RuleOutcome> rules;  // rules, lists, correlations

  [[nodiscard]] std::size_t count(RuleOutcome::Kind kind) const;
};

// Errors: as of run() (agent.h), and runtime where the lookups cannot be sent.
[[nodiscard]] Result<SelftestReport> selftest(const SelftestOptions& options);

}  // namespace nslookout::agent
