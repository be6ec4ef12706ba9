#include "kernel/host.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <system_error>

#include "base/fd.h"
#include "base/read_up_to.h"
#include "kernel/trim.h"

namespace nslookout::kernel {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t read_limit = 1U << 20;

// include/linux/proc_ns.h: the inode numbers of the namespaces that the kernel starts with.
constexpr std::uint64_t initial_user_namespace = 0xEFFFFFFD;
constexpr std::uint64_t initial_pid_namespace = 0xEFFFFFFC;

struct CapabilityBit {
  std::string_view name;
  unsigned bit;
};
// include/uapi/linux/capability.h; CAP_PERFMON and CAP_BPF are not in the headers of every libc.
constexpr std::array<CapabilityBit, 5> capability_bits = {{
    {"CAP_BPF", 39},
    {"CAP_PERFMON", 38},
    {"CAP_NET_ADMIN", 12},
    {"CAP_SYS_ADMIN", 21},
    {"CAP_SYS_RESOURCE", 24},
}};

template <typename Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The rest of the line that begins with key.
std::optional<std::string_view> line_after(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    if (line.starts_with(key)) return trimmed(line.substr(key.size()));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

// mountinfo writes space, tab, newline and backslash of a path as \ooo (proc(5)).
std::string decode_octal_escapes(std::string_view text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      path.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
      i += 3;
    } else {
      path.push_back(text[i]);
    }
  }
  return path;
}

// The mount point, when the line of mountinfo is a cgroup2 mount:
// "41 31 0:38 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw", with any number of fields before the dash.
std::optional<std::string> cgroup2_mount_point(const std::string& line) {
  std::istringstream fields(line);
  std::string id;
  std::string parent;
  std::string device;
  std::string shown_root;
  std::string mount_point;
  if (!(fields >> id >> parent >> device >> shown_root >> mount_point)) return std::nullopt;
  std::string field;
  while (fields >> field && field != "-") {
  }
  std::string type;
  if (!(fields >> type) || type != "cgroup2") return std::nullopt;
  return decode_octal_escapes(mount_point);
}

// The word in brackets: "none [integrity] confidentiality".
std::string_view selected_word(std::string_view text) {
  const auto open = text.find('[');
  const auto close = text.find(']', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  return text.substr(open + 1, close - open - 1);
}

}  // namespace

std::string_view lockdown_name(Lockdown mode) {
  switch (mode) {
    case Lockdown::unknown:
      return "unknown";
    case Lockdown::none:
      return "none";
    case Lockdown::integrity:
      return "integrity";
    case Lockdown::confidentiality:
      return "confidentiality";
  }
  return "unknown";
}

fs::path Host::below_root(std::string_view path) const { return root_ / fs::path(path).relative_path(); }

std::optional<std::string> Host::read_file(std::string_view path) const {
  const Fd file(::open(below_root(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return std::nullopt;
  return read_up_to(file.get(), read_limit);
}

bool Host::exists(std::string_view path) const {
  std::error_code ignored;
  return fs::exists(below_root(path), ignored);
}

std::vector<std::string> Host::list_directory(std::string_view path, std::string_view suffix) const {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(below_root(path), error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    auto name = entry->path().filename().string();
    if (name.ends_with(suffix)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<int> Host::read_number(std::string_view path) const {
  const auto text = read_file(path);
  return text ? parse_number<int>(trimmed(*text)) : std::nullopt;
}

std::optional<std::string> Host::kernel_release() const {
  const auto text = read_file("/proc/sys/kernel/osrelease");
  if (!text || trimmed(*text).empty()) return std::nullopt;
  return std::string(trimmed(*text));
}

Result<std::string> Host::root_cgroup2() const {
  const auto mounts = read_file("/proc/self/mountinfo");
  if (!mounts) {
    return fail(ErrorClass::unsupported,
                "the mounts cannot be read from /proc/self/mountinfo, so the root of cgroup2 is not known: mount proc "
                "on /proc");
  }
  std::string partial;
  std::istringstream lines(*mounts);
  for (std::string line; std::getline(lines, line);) {
    auto mount_point = cgroup2_mount_point(line);
    // Without this file something else is mounted over it.
    if (!mount_point || !exists(*mount_point + "/cgroup.controllers")) continue;
    // Every cgroup but the root has it (CFTYPE_NOT_ON_ROOT), and no namespace or bind mount can hide that; the root
    // field of mountinfo is "/" in a cgroup namespace too.
    if (!exists(*mount_point + "/cgroup.events")) return *mount_point;
    if (partial.empty()) partial = *mount_point;
  }
  if (!partial.empty()) {
    return fail(ErrorClass::unsupported,
                "the cgroup2 mounted on {} is not the root of the host's tree but the part of a container, where only "
                "that container would be seen: run in the host's cgroup namespace (docker run --cgroupns=host) with "
                "the host's /sys/fs/cgroup mounted",
                partial);
  }
  return fail(ErrorClass::unsupported,
              "no cgroup2 file system is mounted: mount it with `mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 "
              "none /sys/fs/cgroup/unified` (or on any other directory)");
}

bool Host::has_btf() const { return exists("/sys/kernel/btf/vmlinux"); }

Lockdown Host::lockdown() const {
  const auto text = read_file("/sys/kernel/security/lockdown");
  if (!text) return exists("/sys/kernel/security/lsm") ? Lockdown::none : Lockdown::unknown;
  for (const auto mode : {Lockdown::none, Lockdown::integrity, Lockdown::confidentiality}) {
    if (selected_word(*text) == lockdown_name(mode)) return mode;
  }
  return Lockdown::unknown;
}

std::vector<Capability> Host::capabilities() const {
  const auto status = read_file("/proc/self/status");
  const auto field = status ? line_after(*status, "CapEff:") : std::nullopt;
  const auto mask = field ? parse_number<std::uint64_t>(*field, 16) : std::nullopt;
  std::vector<Capability> found;
  if (!mask) return found;
  for (const auto& [name, bit] : capability_bits) found.push_back({name, ((*mask >> bit) & 1) != 0});
  return found;
}

std::optional<bool> Host::has_bpf_lsm() const {
  const auto text = read_file("/sys/kernel/security/lsm");
  if (!text) return std::nullopt;
  std::istringstream modules(*text);
  for (std::string module; std::getline(modules, module, ',');) {
    if (trimmed(module) == "bpf") return true;
  }
  return false;
}

std::optional<int> Host::perf_event_paranoid() const { return read_number("/proc/sys/kernel/perf_event_paranoid"); }

std::optional<int> Host::unprivileged_bpf_disabled() const {
  return read_number("/proc/sys/kernel/unprivileged_bpf_disabled");
}

std::optional<bool> Host::namespace_is(std::string_view name, std::uint64_t initial_inode) const {
  std::error_code error;
  const auto link = fs::read_symlink(below_root(fmt::format("/proc/self/ns/{}", name)), error);
  if (error) return std::nullopt;
  return link.string() == fmt::format("{}:[{}]", name, initial_inode);
}

std::optional<bool> Host::in_initial_pid_namespace() const { return namespace_is("pid", initial_pid_namespace); }

std::optional<bool> Host::in_initial_user_namespace() const { return namespace_is("user", initial_user_namespace); }

Memlock Host::memlock() const {
  const auto limits = read_file("/proc/self/limits");
  const auto line = limits ? line_after(*limits, "Max locked memory") : std::nullopt;
  if (!line) return {};
  const auto soft = line->substr(0, line->find(' '));
  if (soft == "unlimited") return {MemlockKind::unlimited, 0};
  const auto octets = parse_number<std::uint64_t>(soft);
  return octets ? Memlock{MemlockKind::limited, *octets} : Memlock{};
}

std::string libbpf_version() { return fmt::format("{}.{}", libbpf_major_version(), libbpf_minor_version()); }

}  // namespace nslookout::kernel
