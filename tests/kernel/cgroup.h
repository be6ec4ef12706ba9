// The root of cgroup v2, a cgroup of the test's own, and what is attached to the root: read with bpf(2) itself, so that
// what the sensor says about its attachments is checked by something else.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace nslookout::kernel_test {

// Where cgroup v2 is mounted (/proc/self/mounts). Class unsupported when it is not.
[[nodiscard]] Result<std::string> cgroup_root();

// A child of the root, removed at the end; processes that entered it must have ended by then.
class OwnCgroup {
 public:
  [[nodiscard]] static Result<OwnCgroup> make(const std::string& name);
  OwnCgroup(OwnCgroup&& other) noexcept : path_(std::exchange(other.path_, {})), id_(other.id_) {}
  OwnCgroup& operator=(OwnCgroup&&) = delete;
  ~OwnCgroup();

  // Moves the calling process there.
  [[nodiscard]] Result<void> enter() const;
  // The kernel's number of the cgroup: the inode of its folder.
  [[nodiscard]] std::uint64_t id() const { return id_; }

 private:
  OwnCgroup(std::string path, std::uint64_t id) : path_(std::move(path)), id_(id) {}
  std::string path_;
  std::uint64_t id_ = 0;
};

// Ids of the programs attached to the root's egress hook.
[[nodiscard]] Result<std::set<std::uint32_t>> egress_programs();

// Ids of all loaded programs whose name is one of these (as the kernel keeps names: 15 octets); no names: of all.
[[nodiscard]] Result<std::set<std::uint32_t>> loaded_programs(const std::set<std::string>& names);

// Another agent's program on the root's egress hook: counts packets and lets them pass.
class ForeignProgram {
 public:
  [[nodiscard]] static Result<ForeignProgram> attach();
  ForeignProgram(ForeignProgram&&) = default;
  ForeignProgram& operator=(ForeignProgram&&) = delete;
  ~ForeignProgram();

  [[nodiscard]] Result<std::uint64_t> packets() const;

 private:
  ForeignProgram(Fd map, Fd program, Fd cgroup)
      : map_(std::move(map)), program_(std::move(program)), cgroup_(std::move(cgroup)) {}
  Fd map_;
  Fd program_;
  Fd cgroup_;
};

}  // namespace nslookout::kernel_test
