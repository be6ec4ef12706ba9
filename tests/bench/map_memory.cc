#include "map_memory.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <system_error>

#include "base/fd.h"

namespace nslookout::bench {
namespace {

// The number behind a word in a descriptor's fdinfo, or 0.
std::uint64_t number_of(const std::filesystem::path& fdinfo, const std::string& wanted) {
  std::ifstream words(fdinfo);
  std::uint64_t number = 0;
  for (std::string word; words >> word;) {
    if (word == wanted && words >> number) return number;
  }
  return 0;
}

std::uint64_t octets_of(const Fd& map) {
  return number_of("/proc/self/fdinfo/" + std::to_string(map.get()), "memlock:");
}

std::uint64_t octets_inside(const Fd& outer, std::uint64_t entries) {
  std::uint64_t octets = 0;
  for (std::uint32_t key = 0; key < entries; ++key) {
    std::uint32_t identity = 0;
    if (bpf_map_lookup_elem(outer.get(), &key, &identity) != 0) continue;
    if (const Fd inner(bpf_map_get_fd_by_id(identity)); inner.valid()) octets += octets_of(inner);
  }
  return octets;
}

}  // namespace

Result<std::uint64_t> map_octets_of(pid_t pid) {
  const std::filesystem::path folder = "/proc/" + std::to_string(pid) + "/fdinfo";
  std::map<std::uint32_t, std::uint64_t> maps;  // by identity: a map may be open twice
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const auto identity = static_cast<std::uint32_t>(number_of(entry.path(), "map_id:"));
    if (identity == 0) continue;
    const Fd map(bpf_map_get_fd_by_id(identity));
    if (!map.valid()) return fail(ErrorClass::runtime, "opening a map: {}", errno_text(errno));
    maps[identity] = octets_of(map);
    if (number_of(entry.path(), "map_type:") == BPF_MAP_TYPE_ARRAY_OF_MAPS) {
      maps[identity] += octets_inside(map, number_of(entry.path(), "max_entries:"));
    }
  }
  if (error) return fail(ErrorClass::runtime, "{}: {}", folder.native(), error.message());
  std::uint64_t sum = 0;
  for (const auto& [identity, octets] : maps) sum += octets;
  return sum;
}

}  // namespace nslookout::bench
