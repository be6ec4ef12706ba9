// Facts about this host that decide what the sensor can do, each read from a file of /proc or /sys.
//
//   const kernel::Host host;                 // the real one
//   const kernel::Host fake(fixture_root);   // a tree of files made by a test
//   auto cgroup = host.root_cgroup2();
//
// Every path is looked up below the root given; paths that are returned are as the host itself names them (without
// that root). A fact that cannot be read is unknown (nullopt), never a guess. Nothing is changed, nothing is cached.
// Sources: proc(5), capabilities(7), cgroups(7), Documentation/admin-guide/cgroup-v2.rst.
// Thread rule: const and stateless, any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nslookout::kernel {

enum class Lockdown { unknown, none, integrity, confidentiality };

[[nodiscard]] std::string_view lockdown_name(Lockdown mode);

// A capability that the sensor uses, and whether it is in the effective set.
struct Capability {
  std::string_view name;
  bool effective = false;
};

enum class MemlockKind { unknown, limited, unlimited };

// The soft limit on locked memory. Kernels from 5.11 on charge BPF memory to the cgroup instead.
struct Memlock {
  MemlockKind kind = MemlockKind::unknown;
  std::uint64_t octets = 0;  // when limited
};

class Host {
 public:
  explicit Host(std::filesystem::path root = "/") : root_(std::move(root)) {}

  [[nodiscard]] std::optional<std::string> kernel_release() const;

  // Where the root of the cgroup2 tree is mounted: the place from which cgroup programs see every process. A mount
  // that shows only a part of the tree (a container's cgroup namespace, a bind mount) is refused, since a program
  // there would be blind to the rest. Error: unsupported, with what to do.
  [[nodiscard]] Result<std::string> root_cgroup2() const;

  [[nodiscard]] bool has_btf() const;

  // Unknown when securityfs is not mounted. A kernel built without lockdown, with securityfs there, is "none".
  [[nodiscard]] Lockdown lockdown() const;

  // CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_RESOURCE in this order; empty when unreadable.
  [[nodiscard]] std::vector<Capability> capabilities() const;

  [[nodiscard]] std::optional<bool> has_bpf_lsm() const;
  [[nodiscard]] std::optional<int> perf_event_paranoid() const;
  [[nodiscard]] std::optional<int> unprivileged_bpf_disabled() const;

  // Capabilities count for bpf(2) in the initial user namespace alone; pids of events are of the initial pid namespace.
  [[nodiscard]] std::optional<bool> in_initial_pid_namespace() const;
  [[nodiscard]] std::optional<bool> in_initial_user_namespace() const;

  [[nodiscard]] Memlock memlock() const;

  // For callers that read further files of the same tree. At most 1 MiB is read; nothing when it cannot be opened.
  [[nodiscard]] std::optional<std::string> read_file(std::string_view path) const;
  [[nodiscard]] bool exists(std::string_view path) const;
  // Names of the entries of a directory that end in suffix, sorted; none when there is no such directory.
  [[nodiscard]] std::vector<std::string> list_directory(std::string_view path, std::string_view suffix) const;

 private:
  [[nodiscard]] std::filesystem::path below_root(std::string_view path) const;
  [[nodiscard]] std::optional<int> read_number(std::string_view path) const;
  [[nodiscard]] std::optional<bool> namespace_is(std::string_view name, std::uint64_t initial_inode) const;

  std::filesystem::path root_;
};

// "1.1": of the libbpf in use.
[[nodiscard]] std::string libbpf_version();

}  // namespace nslookout::kernel
