#include "kernel/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <system_error>
#include <thread>

#include "base/fd.h"

namespace nslookout::kernel {
namespace {

namespace fs = std::filesystem;

constexpr mode_t root_alone = 0700;
constexpr std::chrono::milliseconds detach_wait{2000};
constexpr std::chrono::milliseconds detach_step{5};

Error failure(std::string_view what, const fs::path& path, int error) {
  const auto kind = error == EPERM || error == EACCES ? ErrorClass::unsupported : ErrorClass::runtime;
  return {kind, fmt::format("{} {}: {}", what, path.string(), errno_text(error))};
}

// Of what is no folder there are none: something else that is pinned in the place of a set holds no links.
Result<std::vector<fs::path>> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    entries.push_back(at->path());
  }
  const bool none = error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
  if (error && !none) return fail(failure("reading", folder, error.value()));
  return entries;
}

Result<void> remove_one(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) return fail(failure("removing", path, error.value()));
  return {};
}

Result<void> remove_set(const fs::path& set) {
  const auto links = entries_of(set);
  if (!links) return fail(links.error());
  for (const fs::path& link : *links) {
    if (const auto removed = remove_one(link); !removed) return removed;
  }
  return remove_one(set);
}

unsigned long number_of(const fs::path& set) {
  const std::string name = set.filename();
  unsigned long number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

Result<void> make_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), root_alone) == 0 || errno == EEXIST) return {};
  return fail(failure("making", folder, errno));
}

// The kernel's number of a pinned link; 0: it is none.
std::uint32_t id_of(const fs::path& pinned) {
  const Fd link(bpf_obj_get(pinned.c_str()));
  bpf_link_info info{};
  std::uint32_t length = sizeof info;
  if (!link.valid() || bpf_obj_get_info_by_fd(link.get(), &info, &length) != 0) return 0;
  return info.id;
}

bool exists(std::uint32_t id) { return Fd(bpf_link_get_fd_by_id(id)).valid(); }

// The kernel takes a link that nobody holds apart a moment after its last file has gone.
std::size_t left_of(std::vector<std::uint32_t> ids) {
  const auto end = std::chrono::steady_clock::now() + detach_wait;
  for (;;) {
    std::erase_if(ids, [](std::uint32_t id) { return !exists(id); });
    if (ids.empty() || std::chrono::steady_clock::now() > end) return ids.size();
    std::this_thread::sleep_for(detach_step);
  }
}

}  // namespace

Result<void> check_pinning(const fs::path& folder) {
  struct statfs found{};
  const fs::path parent = folder.parent_path();
  if (::statfs(parent.c_str(), &found) != 0 || found.f_type != BPF_FS_MAGIC) {
    return fail(
        ErrorClass::unsupported,
        "--fail closed pins the programs in the bpf file system, and {0} is none: mount it (mount -t bpf bpf {0}) "
        "and start again",
        parent.string());
  }
  return {};
}

Result<void> pin_set(std::span<const NamedLink> links, const fs::path& folder) {
  if (const auto made = make_folder(folder); !made) return made;
  const auto older = entries_of(folder);
  if (!older) return fail(older.error());
  unsigned long last = 0;
  for (const fs::path& set : *older) last = std::max(last, number_of(set));
  const fs::path own = folder / std::to_string(last + 1);
  if (const auto made = make_folder(own); !made) return made;
  for (const NamedLink& link : links) {
    const fs::path path = own / link.name;
    if (const int error = bpf_link__pin(link.link, path.c_str()); error != 0) {
      [[maybe_unused]] const auto removed = remove_set(own);
      return fail(failure("pinning", path, -error));
    }
  }
  for (const fs::path& set : *older) {
    if (const auto removed = remove_set(set); !removed) return removed;
  }
  return {};
}

Result<std::size_t> pinned_links(const fs::path& folder) {
  const auto sets = entries_of(folder);
  if (!sets) return fail(sets.error());
  std::size_t count = 0;
  for (const fs::path& set : *sets) {
    const auto links = entries_of(set);
    if (!links) return fail(links.error());
    count += links->size();
  }
  return count;
}

Result<Released> remove_pins(const fs::path& folder) {
  const auto sets = entries_of(folder);
  if (!sets) return fail(sets.error());
  Released released;
  std::vector<std::uint32_t> ids;
  for (const fs::path& set : *sets) {
    const auto links = entries_of(set);
    if (!links) return fail(links.error());
    released.links += links->size();
    for (const fs::path& link : *links) {
      if (const std::uint32_t id = id_of(link); id != 0) ids.push_back(id);
    }
    if (const auto removed = remove_set(set); !removed) return fail(removed.error());
  }
  std::error_code missing;
  fs::remove(folder, missing);  // it is empty now, or was not there
  released.held = left_of(std::move(ids));
  return released;
}

}  // namespace nslookout::kernel
