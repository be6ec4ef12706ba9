// What a process's BPF maps take of memory, by the kernel's own account (the memlock line of a map's fdinfo): those it has
// open, and the ones inside its maps of maps.
// Thread rule: any thread. Needs root.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/result.h"

namespace nslookout::bench {

// Octets.
[[nodiscard]] Result<std::uint64_t> map_octets_of(pid_t pid);

}  // namespace nslookout::bench
