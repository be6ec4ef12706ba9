// Programs that outlive their agent: its links, pinned in the bpf file system. A pinned link keeps its program attached, and
// the program keeps its maps, so a set of links is all that has to be pinned.
//
//   /sys/fs/bpf/nslookout/1/nsl_egress …    one folder for each set; the highest number is the one in use
//
// A set is pinned before the older ones are removed, so that a newer agent takes over without a moment in which nothing
// blocks. The file system must be mounted already: one that the agent mounted in a mount namespace of its own would go with
// it, and what is pinned there too.
// Thread rule: any thread; two agents at once leave one set, the later one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

struct bpf_link;

namespace nslookout::kernel {

inline constexpr const char* pin_folder = "/sys/fs/bpf/nslookout";

// A link to be pinned, and the name of its file.
struct NamedLink {
  std::string name;
  bpf_link* link = nullptr;
};

// Whether something can be pinned at folder. Error: unsupported, with what to do.
[[nodiscard]] Result<void> check_pinning(const std::filesystem::path& folder = pin_folder);

// Pins the links as a set of their own, then removes every other set. Nothing of the new set stays on an error.
[[nodiscard]] Result<void> pin_set(std::span<const NamedLink> links, const std::filesystem::path& folder = pin_folder);

[[nodiscard]] Result<std::size_t> pinned_links(const std::filesystem::path& folder = pin_folder);

struct Released {
  std::size_t links = 0;  // that were pinned
  std::size_t held = 0;   // of them: still attached, because an agent that runs holds them
};

// Removes every set, and waits until those links that nobody holds are gone.
[[nodiscard]] Result<Released> remove_pins(const std::filesystem::path& folder = pin_folder);

}  // namespace nslookout::kernel
