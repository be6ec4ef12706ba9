// A live process in /proc, and only the one that was meant.
//
// Invariant: a ProcProcess holds the directory of a process whose start time equals the kernel's; what is read through
// that directory is about this process or fails, also when the pid is given to another one meanwhile. The program in it
// may still change by an exec: the comm before and after a reading is the caller's check for that.
// Source: proc(5), the fields of /proc/PID/stat. Thread rule: any thread, one at a time per object.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "bpf/abi.h"

namespace nslookout::identity {

struct ProcStat {
  std::string comm;
  std::uint32_t parent_pid = 0;
  std::uint32_t session = 0;
  std::uint64_t start_ticks = 0;  // since boot, in clock ticks (USER_HZ), as the reader's time namespace counts
};

// The text of /proc/PID/stat. A comm may hold anything, ')' and newlines included.
[[nodiscard]] std::optional<ProcStat> parse_stat(std::string_view text);

struct ProcIds {
  std::uint32_t uid = 0, gid = 0;  // real ids, as the reader's user namespace counts
};

struct ProcExecutable {
  std::string path;
  bool deleted = false;
};

class ProcProcess {
 public:
  // Nothing when there is no such process (any more), or another one with its number.
  [[nodiscard]] static std::optional<ProcProcess> open(const std::string& proc_root, const nsl_process_key& key);

  // Likewise, of a process of which only the number and an upper bound of the start time are known: the parent of a
  // process that started then. The caller makes sure that it still is the parent.
  [[nodiscard]] static std::optional<ProcProcess> open_parent(const std::string& proc_root, std::uint32_t pid,
                                                              std::uint64_t latest_start_ticks);

  // As it was when the directory was opened, and as it is now.
  [[nodiscard]] const ProcStat& stat_at_open() const { return at_open_; }
  [[nodiscard]] std::optional<ProcStat> stat() const;
  [[nodiscard]] std::optional<ProcIds> ids() const;
  [[nodiscard]] std::optional<ProcExecutable> executable() const;
  [[nodiscard]] std::optional<std::string> cwd() const;
  // Arguments closed by NUL, as the process shows them now; at most limit octets.
  [[nodiscard]] std::optional<std::string> command_line(std::size_t limit) const;
  // "NAME=value" each closed by NUL, of allowed_environment() alone and cut as the kernel's are. Octets of other variables
  // pass through one block, which is wiped.
  [[nodiscard]] std::string allowed_variables() const;
  // Paths of its cgroups: that of cgroup v2 first if there is one, then those of version 1.
  [[nodiscard]] std::vector<std::string> cgroups() const;
  // Whether one of its descriptors is a socket with one of these inodes.
  [[nodiscard]] bool holds_socket(const std::vector<std::uint64_t>& inodes) const;
  // Inodes of the Unix sockets of its network namespace that are bound to one of the paths and listen.
  [[nodiscard]] std::vector<std::uint64_t> listening_unix_sockets(std::span<const std::string_view> paths) const;
  // Inodes of the UDP sockets of its network namespace that are bound to one of the ports.
  [[nodiscard]] std::vector<std::uint64_t> udp_sockets_at(std::span<const std::uint16_t> ports) const;
  // A descriptor of its network namespace; not valid when that is another one than inode says.
  [[nodiscard]] Fd network_namespace(std::uint64_t inode) const;

 private:
  explicit ProcProcess(Fd directory) : directory_(std::move(directory)) {}
  bool note_stat();

  [[nodiscard]] std::optional<std::string> read(const char* file, std::size_t limit) const;
  [[nodiscard]] std::optional<std::string> read_link(const char* link) const;

  Fd directory_;
  ProcStat at_open_;
};

// The kernel's time of a start, from and to the ticks of /proc/PID/stat.
[[nodiscard]] std::uint64_t start_ticks(std::uint64_t start_boottime);
[[nodiscard]] std::uint64_t start_boottime(std::uint64_t start_ticks);

// The number of the calling process in this /proc, which is of the initial pid namespace though the process may be in another
// one; 0 where it is not.
[[nodiscard]] std::uint32_t own_pid(const std::string& proc_root);

// Whether the numbers in this /proc are those of the initial pid namespace, as the kernel's are.
[[nodiscard]] bool shows_initial_pid_namespace(const std::string& proc_root);

}  // namespace nslookout::identity
