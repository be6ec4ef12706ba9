// What the kernel could not read of the processes that ran before the agent: command lines and environments, from /proc.
// Thread rule: any thread.
#pragma once

#include <optional>
#include <string>

#include "bpf/abi.h"

namespace nslookout::identity {

struct SeededFacts {
  std::string arguments;  // each closed by NUL
  std::string variables;  // "NAME=value" each closed by NUL, of allowed_environment() alone
};

// Nothing when the process has ended, or runs another program than the entry's by now.
[[nodiscard]] std::optional<SeededFacts> read_seeded(const std::string& proc_root, const nsl_process_key& key,
                                                     const nsl_process& entry);

}  // namespace nslookout::identity
