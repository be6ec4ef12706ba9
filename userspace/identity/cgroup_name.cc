#include "identity/cgroup_name.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace nslookout::identity {
namespace {

constexpr std::size_t id_digits = 64;
constexpr std::size_t buildkit_id_length = 25;

struct Affix {
  std::string_view prefix;
  std::string_view runtime;
};

constexpr std::array<Affix, 4> prefixes = {{
    {"docker-", "docker"},
    {"libpod-", "podman"},
    {"cri-containerd-", "containerd"},
    {"crio-", "cri-o"},
}};

bool is_hex_id(std::string_view text) {
  return text.size() == id_digits &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_buildkit_id(std::string_view text) {
  return text.size() == buildkit_id_length &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
}

std::string_view runtime_of_parent(std::string_view parent) { return parent == "docker" ? "docker" : ""; }

// One component of the path, with the one above it.
std::optional<ContainerName> container_of_component(std::string_view name, std::string_view parent) {
  if (parent == "buildkit" && is_buildkit_id(name)) return ContainerName{std::string(name), "buildkit"};
  if (parent == "lxc" || name.starts_with("lxc.payload.")) {
    const std::string_view id = parent == "lxc" ? name : name.substr(std::string_view("lxc.payload.").size());
    if (!id.empty()) return ContainerName{std::string(id), "lxc"};
  }
  if (const std::size_t colon = name.rfind(":cri-containerd:"); colon != std::string_view::npos) {
    const std::string_view id = name.substr(colon + std::string_view(":cri-containerd:").size());
    if (is_hex_id(id)) return ContainerName{std::string(id), "containerd"};
  }
  if (name.ends_with(".scope")) name.remove_suffix(std::string_view(".scope").size());
  if (is_hex_id(name)) return ContainerName{std::string(name), std::string(runtime_of_parent(parent))};
  for (const Affix& affix : prefixes) {
    if (!name.starts_with(affix.prefix)) continue;
    const std::string_view id = name.substr(affix.prefix.size());
    if (is_hex_id(id)) return ContainerName{std::string(id), std::string(affix.runtime)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<ContainerName> container_of_cgroup(std::string_view path_or_leaf) {
  std::string_view rest = path_or_leaf;
  while (!rest.empty()) {
    const std::size_t slash = rest.rfind('/');
    const std::string_view name = slash == std::string_view::npos ? rest : rest.substr(slash + 1);
    const std::string_view above = slash == std::string_view::npos ? std::string_view() : rest.substr(0, slash);
    const std::size_t above_slash = above.rfind('/');
    const std::string_view parent = above_slash == std::string_view::npos ? above : above.substr(above_slash + 1);
    if (auto found = container_of_component(name, parent)) return found;
    rest = above;
  }
  return std::nullopt;
}

}  // namespace nslookout::identity
