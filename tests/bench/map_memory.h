// What BPF maps take of memory, by the kernel's own account (the memlock line of a map's fdinfo).
// Thread rule: any thread. Needs root.
#pragma once

#include <cstdint>
#include <set>

#include "base/result.h"

namespace nslookout::bench {

// Of all maps there are.
[[nodiscard]] Result<std::set<std::uint32_t>> map_identities();

// Octets of all maps but these.
[[nodiscard]] Result<std::uint64_t> map_octets_except(const std::set<std::uint32_t>& known);

}  // namespace nslookout::bench
