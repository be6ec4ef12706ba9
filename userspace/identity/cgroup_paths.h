// Paths of cgroups by their ids, also when every process that was in one is gone: on cgroup v2 the id is the file handle
// of the cgroup's directory (cgroup v2 documentation; kernfs ids are never reused within a boot).
// Needs CAP_DAC_READ_SEARCH; without it, or once the cgroup is removed, there is no path.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/fd.h"

namespace nslookout::identity {

class CgroupPaths {
 public:
  // mount: where the root cgroup2 is mounted ("/sys/fs/cgroup"); empty: no path is ever known.
  explicit CgroupPaths(std::string mount);

  // The path from the root of the tree, "/" for the root itself.
  [[nodiscard]] std::optional<std::string> path_of(std::uint64_t cgroup_id);

 private:
  [[nodiscard]] std::optional<std::string> look_up(std::uint64_t cgroup_id) const;

  std::string mount_;
  Fd mount_fd_;
  std::unordered_map<std::uint64_t, std::string> known_;
};

}  // namespace nslookout::identity
