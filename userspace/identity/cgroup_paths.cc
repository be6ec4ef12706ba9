#include "identity/cgroup_paths.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <cstddef>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace nslookout::identity {
namespace {

constexpr std::size_t max_known = 4096;
constexpr int kernfs_handle_type = 0xfe;  // FILEID_KERNFS, include/linux/exportfs.h

// struct file_handle with room for a 64-bit id.
struct KernfsHandle {
  unsigned int handle_bytes = sizeof(std::uint64_t);
  int handle_type = kernfs_handle_type;
  unsigned char id[sizeof(std::uint64_t)] = {};
};

}  // namespace

CgroupPaths::CgroupPaths(std::string mount) : mount_(std::move(mount)) {
  if (!mount_.empty()) mount_fd_ = Fd(::open(mount_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::optional<std::string> CgroupPaths::look_up(std::uint64_t cgroup_id) const {
  KernfsHandle handle;
  std::memcpy(handle.id, &cgroup_id, sizeof cgroup_id);
  const Fd directory(::open_by_handle_at(mount_fd_.get(), reinterpret_cast<file_handle*>(&handle), O_PATH | O_CLOEXEC));
  if (!directory.valid()) return std::nullopt;
  char target[PATH_MAX];
  const std::string link = fmt::format("/proc/self/fd/{}", directory.get());
  const ssize_t length = ::readlink(link.c_str(), target, sizeof target);
  if (length <= 0 || length == static_cast<ssize_t>(sizeof target)) return std::nullopt;
  std::string path(target, static_cast<std::size_t>(length));
  if (!path.starts_with(mount_) || path.ends_with(" (deleted)")) return std::nullopt;
  path.erase(0, mount_.size());
  return path.empty() ? "/" : path;
}

std::optional<std::string> CgroupPaths::path_of(std::uint64_t cgroup_id) {
  if (!mount_fd_.valid() || cgroup_id == 0) return std::nullopt;
  if (const auto found = known_.find(cgroup_id); found != known_.end()) return found->second;
  auto path = look_up(cgroup_id);
  if (!path) return std::nullopt;
  if (known_.size() >= max_known) known_.clear();
  known_.emplace(cgroup_id, *path);
  return path;
}

}  // namespace nslookout::identity
