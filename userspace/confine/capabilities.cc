#include "confine/capabilities.h"

#include <sys/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>

namespace nslookout::confine {
namespace {

bool always(const Duties& /*duties*/) { return true; }
bool answering(const Duties& duties) { return duties.answers; }
bool without_admin(const Duties& duties) { return !duties.may_administer; }
bool writing_for_others(const Duties& duties) { return duties.writes_for_others; }

constexpr Kept table[] = {
    {CAP_BPF, "CAP_BPF", always, "a reload makes new tables; where unprivileged bpf(2) is off, reading one needs it"},
    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", always, "executable, working directory, namespaces of others under /proc"},
    {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", always,
     "the path of a cgroup from its id; descriptors of other users' processes"},
    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", always,
     "setns(2) into a client's network namespace: an answer has to be sent there, and a forwarder's client is found "
     "there"},
    // CAP_SYS_ADMIN stands for these two.
    {CAP_PERFMON, "CAP_PERFMON", without_admin,
     "the socket of a resolver that is started later is watched by new programs"},
    {CAP_NET_ADMIN, "CAP_NET_ADMIN", without_admin,
     "connecting to such a socket is denied by new programs on the cgroup"},
    {CAP_NET_RAW, "CAP_NET_RAW", answering, "an answer is a packet with the address of the server that was asked"},
    {CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", writing_for_others, "files that are written in folders of other users"},
};

struct Freed {
  void operator()(cap_t capabilities) const { cap_free(capabilities); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, Freed>;

bool has(const Capabilities& capabilities, cap_value_t number) {
  cap_flag_value_t value = CAP_CLEAR;
  return cap_get_flag(capabilities.get(), number, CAP_PERMITTED, &value) == 0 && value == CAP_SET;
}

// Without CAP_SETPCAP the bounding set stays as it is; no_new_privs makes it void.
void shrink_bounding_set(const std::vector<cap_value_t>& kept) {
  for (cap_value_t number = 0; number < cap_max_bits(); ++number) {
    if (std::ranges::find(kept, number) == kept.end()) cap_drop_bound(number);
  }
}

bool writable_by_owner(const struct stat& status) {
  return (status.st_uid == ::geteuid() && (status.st_mode & S_IWUSR) != 0) || (status.st_mode & S_IWOTH) != 0;
}

}  // namespace

std::span<const Kept> kept_capabilities() { return table; }

bool others_own(const std::vector<std::string>& paths) {
  return std::ranges::any_of(paths, [](const std::string& path) {
    if (path.empty()) return false;
    struct stat file{};
    if (::stat(path.c_str(), &file) == 0 && !writable_by_owner(file)) return true;
    const std::string above = std::filesystem::path(path).parent_path().native();
    struct stat folder{};
    return ::stat(above.empty() ? "." : above.c_str(), &folder) == 0 && !writable_by_owner(folder);
  });
}

Result<std::vector<std::string>> keep_capabilities(Duties duties) {
  const Capabilities before(cap_get_proc());
  const Capabilities after(cap_init());
  if (!before || !after) return fail(ErrorClass::runtime, "capabilities: {}", errno_text(errno));
  duties.may_administer = has(before, CAP_SYS_ADMIN);
  std::vector<cap_value_t> kept;
  std::vector<std::string> names;
  for (const Kept& one : table) {
    if (!one.needed(duties) || !has(before, one.number)) continue;
    kept.push_back(one.number);
    names.emplace_back(one.name);
  }
  if (has(before, CAP_SETPCAP)) shrink_bounding_set(kept);
  cap_reset_ambient();  // refused by no kernel that loads our programs
  for (const cap_flag_t set : {CAP_PERMITTED, CAP_EFFECTIVE}) {
    if (!kept.empty() && cap_set_flag(after.get(), set, static_cast<int>(kept.size()), kept.data(), CAP_SET) != 0) {
      return fail(ErrorClass::runtime, "capabilities: {}", errno_text(errno));
    }
  }
  if (cap_set_proc(after.get()) != 0) {
    return fail(ErrorClass::runtime, "giving up capabilities: {}", errno_text(errno));
  }
  return names;
}

}  // namespace nslookout::confine
