#include "identity/proc_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/read_up_to.h"
#include "base/text.h"
#include "identity/network_view.h"
#include "identity/variable_filter.h"

namespace nslookout::identity {
namespace {

constexpr std::string_view deleted_suffix = " (deleted)";

template <typename Number>
std::optional<Number> number(std::string_view word) {
  Number value{};
  const char* end = word.data() + word.size();
  const auto parsed = std::from_chars(word.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

std::uint64_t nanoseconds_per_tick() {
  static const auto ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return 1'000'000'000 / ticks_per_second;
}

std::optional<Fd> open_directory(const std::string& proc_root, std::uint32_t pid) {
  const std::string path = fmt::format("{}/{}", proc_root, pid);
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return std::nullopt;
  return directory;
}

std::optional<std::string> read_link_at(int directory, const char* link) {
  char target[PATH_MAX];
  const ssize_t length = ::readlinkat(directory, link, target, sizeof target);
  if (length <= 0 || length == static_cast<ssize_t>(sizeof target)) return std::nullopt;
  return std::string(target, static_cast<std::size_t>(length));
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

std::optional<ProcStat> parse_stat(std::string_view text) {
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  constexpr std::size_t parent_at = 4 - 3;
  constexpr std::size_t session_at = 6 - 3;
  constexpr std::size_t start_at = 22 - 3;
  std::string_view rest = text.substr(close + 1);
  const auto fields = take_words<start_at + 1>(rest);  // from field 3, the state
  const auto parent = number<std::uint32_t>(fields[parent_at]);
  const auto session = number<std::uint32_t>(fields[session_at]);
  const auto start = number<std::uint64_t>(fields[start_at]);
  if (!parent || !session || !start) return std::nullopt;
  return ProcStat{.comm = std::string(text.substr(open + 1, close - open - 1)),
                  .parent_pid = *parent,
                  .session = *session,
                  .start_ticks = *start};
}

std::uint64_t start_ticks(std::uint64_t start_boottime) {
  return (start_boottime + static_cast<std::uint64_t>(own_boottime_offset().count())) / nanoseconds_per_tick();
}

std::uint64_t start_boottime(std::uint64_t start_ticks) {
  return start_ticks * nanoseconds_per_tick() - static_cast<std::uint64_t>(own_boottime_offset().count());
}

std::optional<ProcProcess> ProcProcess::open(const std::string& proc_root, const nsl_process_key& key) {
  auto directory = open_directory(proc_root, key.tgid);
  if (!directory) return std::nullopt;
  ProcProcess process(std::move(*directory));
  if (!process.note_stat() || process.at_open_.start_ticks != start_ticks(key.start_boottime)) return std::nullopt;
  return process;
}

std::optional<ProcProcess> ProcProcess::open_parent(const std::string& proc_root, std::uint32_t pid,
                                                    std::uint64_t latest_start_ticks) {
  auto directory = open_directory(proc_root, pid);
  if (!directory) return std::nullopt;
  ProcProcess process(std::move(*directory));
  if (!process.note_stat() || process.at_open_.start_ticks > latest_start_ticks) return std::nullopt;
  return process;
}

bool ProcProcess::note_stat() {
  auto found = stat();
  if (found) at_open_ = std::move(*found);
  return found.has_value();
}

std::optional<std::string> ProcProcess::read(const char* file, std::size_t limit) const {
  const Fd fd(::openat(directory_.get(), file, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  return read_up_to(fd.get(), limit);
}

std::optional<std::string> ProcProcess::read_link(const char* link) const {
  return read_link_at(directory_.get(), link);
}

std::optional<ProcStat> ProcProcess::stat() const {
  const auto text = read("stat", 4096);
  return text ? parse_stat(*text) : std::nullopt;
}

std::optional<ProcIds> ProcProcess::ids() const {
  const auto text = read("status", 65536);
  if (!text) return std::nullopt;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  for (std::string_view lines = *text; !lines.empty();) {
    std::string_view line = take_until(lines, '\n');
    const auto [label, real] = take_words<2>(line);
    if (label == "Uid:") uid = number<std::uint32_t>(real);
    if (label == "Gid:") gid = number<std::uint32_t>(real);
  }
  if (!uid || !gid) return std::nullopt;
  return ProcIds{.uid = *uid, .gid = *gid};
}

std::optional<ProcExecutable> ProcProcess::executable() const {
  auto path = read_link("exe");
  if (!path) return std::nullopt;
  ProcExecutable executable{.path = std::move(*path)};
  // A file may really be called "x (deleted)"; its link count tells.
  struct stat status{};
  executable.deleted = ::fstatat(directory_.get(), "exe", &status, 0) == 0 && status.st_nlink == 0;
  if (executable.deleted && executable.path.ends_with(deleted_suffix)) {
    executable.path.resize(executable.path.size() - deleted_suffix.size());
  }
  return executable;
}

std::optional<std::string> ProcProcess::cwd() const { return read_link("cwd"); }

std::optional<std::string> ProcProcess::command_line(std::size_t limit) const { return read("cmdline", limit); }

std::string ProcProcess::allowed_variables() const {
  constexpr std::size_t limit = 256u << 10;  // what the kernel side reads at most
  const Fd fd(::openat(directory_.get(), "environ", O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return {};
  VariableFilter filter;
  std::array<char, 4096> block{};
  for (std::size_t taken = 0; taken < limit;) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filter.take({block.data(), static_cast<std::size_t>(got)});
    taken += static_cast<std::size_t>(got);
  }
  ::explicit_bzero(block.data(), block.size());
  return filter.finish();
}

std::vector<std::string> ProcProcess::cgroups() const {
  std::vector<std::string> paths;
  const auto text = read("cgroup", 65536);
  if (!text) return paths;
  for (std::string_view lines = *text; !lines.empty();) {
    const std::string_view line = take_until(lines, '\n');
    const std::size_t controllers = line.find(':');
    if (controllers == std::string::npos) continue;
    const std::size_t path = line.find(':', controllers + 1);
    if (path == std::string::npos) continue;
    const bool version2 = line.starts_with("0::");
    paths.insert(version2 ? paths.begin() : paths.end(), std::string(line.substr(path + 1)));
  }
  return paths;
}

bool ProcProcess::holds_socket(const std::vector<std::uint64_t>& inodes) const {
  if (inodes.empty()) return false;
  const int folder = ::openat(directory_.get(), "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseFolder> entries(folder < 0 ? nullptr : ::fdopendir(folder));
  if (!entries) return false;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads this folder
  while (const dirent* entry = ::readdir(entries.get())) {
    const auto target = read_link_at(::dirfd(entries.get()), entry->d_name);
    if (!target || !target->starts_with("socket:[") || !target->ends_with(']')) continue;
    const auto inode = number<std::uint64_t>(target->substr(8, target->size() - 9));
    if (inode && std::ranges::find(inodes, *inode) != inodes.end()) return true;
  }
  return false;
}

// A line of /proc/PID/net/unix: Num RefCount Protocol Flags Type St Inode Path.
std::vector<std::uint64_t> ProcProcess::listening_unix_sockets(std::span<const std::string_view> paths) const {
  std::vector<std::uint64_t> inodes;
  const std::string text = read("net/unix", std::size_t{16} << 20).value_or("");
  for (std::string_view lines = text; !lines.empty();) {
    std::string_view line = take_until(lines, '\n');
    const auto words = take_words<8>(line);
    constexpr std::string_view listens = "00010000";  // __SO_ACCEPTCON
    if (words[3] != listens || std::ranges::find(paths, words[7]) == paths.end()) continue;
    if (const auto inode = number<std::uint64_t>(words[6])) inodes.push_back(*inode);
  }
  return inodes;
}

// A line of /proc/PID/net/udp: slot, local address, remote address, st, queues, timer, retransmissions, uid, timeout, inode.
std::vector<std::uint64_t> ProcProcess::udp_sockets_at(std::span<const std::uint16_t> ports) const {
  std::vector<std::uint64_t> inodes;
  for (const char* table : {"net/udp", "net/udp6"}) {
    const std::string text = read(table, std::size_t{16} << 20).value_or("");
    for (std::string_view lines = text; !lines.empty();) {
      std::string_view line = take_until(lines, '\n');
      const auto words = take_words<10>(line);
      const std::string_view local = words[1];
      const auto colon = local.rfind(':');
      std::uint16_t port = 0;
      if (colon == std::string::npos) continue;
      const auto [end, error] = std::from_chars(local.data() + colon + 1, local.data() + local.size(), port, 16);
      if (error != std::errc{} || std::ranges::find(ports, port) == ports.end()) continue;
      if (const auto inode = number<std::uint64_t>(words[9])) inodes.push_back(*inode);
    }
  }
  return inodes;
}

Fd ProcProcess::network_namespace(std::uint64_t inode) const {
  return open_network_namespace(directory_.get(), "ns/net", inode);
}

bool shows_initial_pid_namespace(const std::string& proc_root) {
  constexpr std::string_view initial = "pid:[4026531836]";  // PROC_PID_INIT_INO, include/linux/proc_ns.h
  auto found = read_link_at(AT_FDCWD, (proc_root + "/1/ns/pid").c_str());
  // Not every user may look at process 1; its own namespace is then the best answer.
  if (!found) found = read_link_at(AT_FDCWD, (proc_root + "/self/ns/pid").c_str());
  return found == initial;
}

std::uint32_t own_pid(const std::string& proc_root) {
  if (!shows_initial_pid_namespace(proc_root)) return 0;
  const auto self = read_link_at(AT_FDCWD, (proc_root + "/self").c_str());
  return self ? number<std::uint32_t>(*self).value_or(0) : 0;
}

}  // namespace nslookout::identity
