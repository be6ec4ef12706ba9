#include "identity/cgroup_name.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include "base/text.h"

namespace nslookout::identity {
namespace {

constexpr std::size_t id_digits = 64;
constexpr std::size_t buildkit_id_length = 25;

struct Affix {
  std::string_view word;
  std::string_view runtime;
};

// Before the id, joined to it by '-' or, between two colons, after a slice.
constexpr std::array<Affix, 6> prefixes = {{
    {"docker", "docker"},
    {"libpod", "podman"},
    {"cri-containerd", "containerd"},
    {"nerdctl", "containerd"},
    {"crio", "cri-o"},
    {"buildkit", "buildkit"},
}};

constexpr std::array<Affix, 3> parents = {{
    {"docker", "docker"},
    {"k8s.io", "containerd"},
    {"moby", "docker"},
}};

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_hex_id(std::string_view text) {
  return text.size() == id_digits && std::all_of(text.begin(), text.end(), is_hex);
}

bool is_buildkit_id(std::string_view text) {
  return text.size() == buildkit_id_length &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
}

template <std::size_t size>
std::string_view runtime_of(const std::array<Affix, size>& affixes, std::string_view word) {
  const auto* found = std::find_if(affixes.begin(), affixes.end(), [&](const Affix& a) { return a.word == word; });
  return found == affixes.end() ? std::string_view() : found->runtime;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

// "web\x2d1" is "web-1".
std::string unescape_unit(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned octet = 0;
    const std::string_view escape = text.substr(i, 4);
    if (escape.size() == 4 && escape.starts_with("\\x") &&
        std::from_chars(escape.data() + 2, escape.data() + 4, octet, 16).ptr == escape.data() + 4) {
      plain += static_cast<char>(octet);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::optional<ContainerName> lxc_container(std::string_view name, std::string_view parent) {
  const bool named = take_prefix(name, "lxc.payload.") || parent == "lxc" || parent == "lxc.payload";
  if (!named || name.empty()) return std::nullopt;
  return ContainerName{std::string(name), "lxc"};
}

// A scope of systemd-machined is a container if systemd-nspawn made it, which puts what it runs below "payload".
std::optional<ContainerName> nspawn_container(std::string_view name, std::string_view child) {
  const bool service = take_prefix(name, "systemd-nspawn@") && take_suffix(name, ".service");
  const bool scope = !service && child == "payload" && take_prefix(name, "machine-") && take_suffix(name, ".scope");
  if (!(service || scope) || name.empty()) return std::nullopt;
  return ContainerName{unescape_unit(name), "systemd-nspawn"};
}

std::optional<ContainerName> container_with_id(std::string_view name, std::string_view parent) {
  if (parent == "buildkit" && is_buildkit_id(name)) return ContainerName{std::string(name), "buildkit"};
  take_suffix(name, ".scope");
  if (is_hex_id(name)) {
    if (parent == "libpod_parent") return std::nullopt;  // a pod of podman
    return ContainerName{std::string(name), std::string(runtime_of(parents, parent))};
  }
  const std::size_t before_id = name.find_last_of("-:");
  if (before_id == std::string_view::npos || !is_hex_id(name.substr(before_id + 1))) return std::nullopt;
  const std::string_view id = name.substr(before_id + 1);
  std::string_view word = name.substr(0, before_id);
  if (name[before_id] == ':') word = word.substr(std::min(word.size(), word.rfind(':') + 1));
  const std::string_view runtime = runtime_of(prefixes, word);
  if (runtime.empty()) return std::nullopt;
  return ContainerName{std::string(id), std::string(runtime)};
}

// The last component of a path, which it loses.
std::string_view take_component(std::string_view& path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  return name;
}

// "3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab", or without dashes.
bool is_pod_uid(std::string_view text) {
  const auto digits = std::count_if(text.begin(), text.end(), is_hex);
  const auto dashes = std::count(text.begin(), text.end(), '-');
  return digits == 32 && digits + dashes == static_cast<std::ptrdiff_t>(text.size()) && (dashes == 4 || dashes == 0);
}

std::optional<ContainerName> container_called(std::string_view name, std::string_view parent, std::string_view child) {
  if (auto found = container_with_id(name, parent)) return found;
  if (auto found = lxc_container(name, parent)) return found;
  return nspawn_container(name, child);
}

// The user of the outermost "user@1000.service": users can make more of that name below it.
std::optional<std::uint32_t> user_manager_in(std::string_view path) {
  while (!path.empty()) {
    std::string_view name = take_until(path, '/');
    std::uint32_t user = 0;
    if (!take_prefix(name, "user@") || !take_suffix(name, ".service")) continue;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), user);
    if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size()) return user;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ContainerName> container_of_cgroup(std::string_view path_or_leaf) {
  std::string_view rest = path_or_leaf;
  std::string_view child;
  while (!rest.empty()) {
    const std::string_view name = take_component(rest);
    std::string_view above = rest;
    const std::string_view parent = take_component(above);
    if (auto found = container_called(name, parent, child)) {
      found->user = user_manager_in(rest);
      return found;
    }
    child = name;
  }
  return std::nullopt;
}

std::string pod_uid_of_cgroup(std::string_view path) {
  while (!path.empty()) {
    std::string_view name = take_component(path);
    // Without systemd, runc's cgroup of a container is "<slice of the pod>:cri-containerd:<id>".
    name = name.substr(0, name.find(':'));
    take_suffix(name, ".slice");
    const std::size_t pod = name.rfind("pod");
    if (pod == std::string_view::npos || (pod != 0 && name[pod - 1] != '-')) continue;
    std::string uid(name.substr(pod + 3));
    std::replace(uid.begin(), uid.end(), '_', '-');
    if (is_pod_uid(uid)) return user_manager_in(path) ? std::string() : uid;
  }
  return {};
}

}  // namespace nslookout::identity
