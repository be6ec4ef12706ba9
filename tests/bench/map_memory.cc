#include "map_memory.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "base/fd.h"

namespace nslookout::bench {

Result<std::set<std::uint32_t>> map_identities() {
  std::set<std::uint32_t> identities;
  std::uint32_t identity = 0;
  while (bpf_map_get_next_id(identity, &identity) == 0) identities.insert(identity);
  if (errno != ENOENT) return fail(ErrorClass::runtime, "listing the kernel's maps: {}", errno_text(errno));
  return identities;
}

Result<std::uint64_t> map_octets_except(const std::set<std::uint32_t>& known) {
  const auto identities = map_identities();
  if (!identities) return fail(identities.error());
  std::uint64_t sum = 0;
  for (const std::uint32_t identity : *identities) {
    if (known.contains(identity)) continue;
    const Fd map(bpf_map_get_fd_by_id(identity));
    if (!map.valid()) continue;  // gone meanwhile
    std::ifstream lines("/proc/self/fdinfo/" + std::to_string(map.get()));
    std::uint64_t octets = 0;
    for (std::string word; lines >> word;) {
      if (word == "memlock:" && lines >> octets) sum += octets;
    }
  }
  return sum;
}

}  // namespace nslookout::bench
