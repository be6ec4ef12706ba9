// What brought a program onto the host or into the run: the package whose install or build script started it, and the
// step of the CI run it belongs to. Read from what programs were started with: allowed variables
// (environment_names.h), argv and cwd, nearest program first; docs/origin.md says which fact comes from where.
//
// Invariants
//   * Variables are inherited, so the one who set them counts: of several packages in a chain (an npm script that runs
//     cargo) the one that came in last is named.
//   * No guess: facts that fit two packages, or two CI systems, name none.
//   * Values are octets from outside, kept as they came; the codec escapes them. Their length is the collector's bound.
// Thread rule: any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "event/event.h"

namespace nslookout::identity {

// One process as it was at its last exec.
struct ProgramFacts {
  std::string executable;                 // path
  std::vector<std::string> command_line;  // may be cut short
  std::string cwd;
  // Name and value (or cut_value, kernel_process.h), of allowed_environment() alone.
  std::vector<std::pair<std::string, std::string>> environment;
  // It had some, and they were lost: what is farther away than this program may not be what it belongs to.
  bool environment_lost = false;
};

// nearest_first: the process itself, then its ancestors. Nothing when neither package nor CI is known.
[[nodiscard]] std::optional<event::Origin> origin_of(std::span<const ProgramFacts> nearest_first);

}  // namespace nslookout::identity
