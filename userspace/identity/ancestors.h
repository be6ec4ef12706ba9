// Who started a process, who started that, and so on up to pid 1.
//
// The kernel's table links each process to the program that made it, also when that has ended. Where the table has no
// entry (a process older than the agent, or one that has left the table), /proc is asked, and believed only for a process
// with the same start time; from there on it is the chain of living parents, as /proc has no other.
// Invariant: each ancestor started before the one it is the parent of, so no chain has a loop.
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "event/event.h"

namespace nslookout::identity {

inline constexpr std::size_t max_ancestors = 64;
// Of what is known of all of them (event/weight.h): paths and command lines of kilobytes are a process's own choice.
inline constexpr std::size_t max_ancestors_octets = 128U << 10;

// The kernel's process table: nothing where it has no entry (any more).
struct ProcessTable {
  std::function<std::optional<nsl_process>(const nsl_process_key&)> process;
  std::function<std::optional<nsl_environment>(std::uint64_t)> environment;  // by nsl_process.environment
};

using Variables = std::vector<std::pair<std::string, std::string>>;

// The allowed variables (environment_names.h) that an entry's program was started with: of the table or, where that has let go of
// them, of /proc, while the process lives and runs that program (proc_root: empty for no /proc). Nothing: they are not known.
[[nodiscard]] std::optional<Variables> variables_of(const ProcessTable& table, const nsl_process_key& key,
                                                    const nsl_process& entry, const std::string& proc_root);

struct Ancestor {
  std::uint64_t start_boottime = 0;
  event::Process process;              // without start_time and names of accounts
  std::optional<Variables> variables;  // nothing: not known
};

struct Ancestry {
  std::vector<Ancestor> nearest_first;
  std::size_t octets = 0;  // that they take
  bool truncated =
      false;  // the last one was started by a process of which nothing is known, or there was no room for more
};

// proc_root: empty for no /proc.
[[nodiscard]] Ancestry ancestors_of(const nsl_process_key& process, const nsl_process_key& parent,
                                    const ProcessTable& table, const std::string& proc_root);

}  // namespace nslookout::identity
