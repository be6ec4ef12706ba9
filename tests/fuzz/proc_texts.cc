// Texts of /proc that a process has a hand in: its name in stat, its cgroups' paths, its environment, its command line.
//
// Input: an octet with the kind, then the text.
#include <algorithm>
#include <string>
#include <vector>

#include "bpf/abi.h"
#include "identity/cgroup_name.h"
#include "identity/environment_names.h"
#include "identity/kernel_process.h"
#include "identity/proc_process.h"
#include "identity/variable_filter.h"
#include "octets.h"

namespace nslookout::fuzz {
namespace {

void check_stat(std::string_view text) {
  (void)identity::parse_stat(text);
  const std::string line =
      "7 (" + std::string(text) + ") S 1 2 3 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 98765 0 0 18446744073709551615\n";
  const auto stat = identity::parse_stat(line);
  require(stat && stat->comm == text, "a process is called what it calls itself");
  require(stat->parent_pid == 1 && stat->session == 3 && stat->start_ticks == 98765, "and says nothing else");
}

void check_cgroup(std::string_view path) {
  const auto container = identity::container_of_cgroup(path);
  if (container) {
    require(!container->id.empty() && container->id.size() <= path.size(), "a container has an id");
    const bool escaped = container->runtime == "systemd-nspawn";
    require(escaped || path.find(container->id) != std::string_view::npos, "which is of its path");
  }
  if (path.starts_with('/')) {
    require(identity::container_of_cgroup("/outer" + std::string(path)) == container, "the innermost container counts");
  }
  const std::string uid = identity::pod_uid_of_cgroup(path);
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  require(uid.empty() || std::ranges::count_if(uid, is_hex) == 32, "a pod's uid has 32 digits");
}

std::vector<std::string_view> divided(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    parts.push_back(text.substr(0, text.find('\0')));
    text.remove_prefix(std::min(text.size(), parts.back().size() + 1));
  }
  return parts;
}

std::string plainly_filtered(std::string_view environment) {
  std::string kept;
  for (const std::string_view variable : divided(environment)) {
    const std::size_t equal = variable.find('=');
    const auto allowed = identity::allowed_environment();
    if (equal == std::string_view::npos || kept.size() >= NSL_VARIABLES_AT ||
        std::ranges::find(allowed, variable.substr(0, equal)) == allowed.end()) {
      continue;
    }
    kept += variable.substr(0, NSL_VARIABLE_MAX - 1);
    kept += '\0';
  }
  return kept;
}

void check_environment(Octets octets) {
  const std::size_t block = 1U + octets.octet();
  const std::string_view environment = octets.rest();
  identity::VariableFilter filter;
  for (std::size_t at = 0; at < environment.size(); at += block) filter.take(environment.substr(at, block));
  const std::string kept = filter.finish();
  require(kept == plainly_filtered(environment), "allowed variables are kept, and no octet of another");
  require(kept.size() <= NSL_VARIABLES_AT + NSL_VARIABLE_MAX, "they fit into the kernel's entry");
  for (const auto& [name, value] : identity::split_variables(kept)) {
    require(value == identity::cut_value || kept.find(name + "=" + value) != std::string::npos,
            "values are as written");
  }
}

void check_command_line(std::string_view text) {
  bool cut = false;
  const std::vector<std::string> arguments = identity::split_command_line(text, &cut);
  std::vector<std::string_view> plain = divided(text);
  require(cut == (plain.size() > identity::max_arguments), "what is cut is said to be");
  plain.resize(std::min(plain.size(), identity::max_arguments));
  require(std::ranges::equal(arguments, plain), "arguments end at a NUL");
  const std::string path = identity::path_from_reversed(text, false);
  require(path.empty() || path.starts_with('/'), "a path begins at the root");
  require(path.size() <= text.size() + 1, "a path is no longer than its components");
}

}  // namespace
}  // namespace nslookout::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  using namespace nslookout::fuzz;
  Octets input(octets, size);
  switch (input.octet() % 4) {
    case 0:
      check_stat(input.rest());
      break;
    case 1:
      check_cgroup(input.rest());
      break;
    case 2:
      check_environment(input);
      break;
    default:
      check_command_line(input.rest());
      break;
  }
  return 0;
}
