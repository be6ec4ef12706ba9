#include "identity/kernel_process.h"

#include <algorithm>
#include <cstddef>

namespace nslookout::identity {

std::string path_from_reversed(std::string_view reversed, bool truncated) {
  std::string path;
  while (!reversed.empty()) {
    const std::size_t slash = reversed.find('/');
    if (slash == std::string_view::npos) break;
    path.insert(0, reversed.substr(0, slash));
    path.insert(0, "/");
    reversed.remove_prefix(slash + 1);
  }
  if (truncated && !path.empty()) path.insert(0, "...");
  return path;
}

std::vector<std::string> split_command_line(std::string_view nul_separated) {
  std::vector<std::string> arguments;
  while (!nul_separated.empty()) {
    const std::size_t end = nul_separated.find('\0');
    arguments.emplace_back(nul_separated.substr(0, end));
    nul_separated.remove_prefix(end == std::string_view::npos ? nul_separated.size() : end + 1);
  }
  return arguments;
}

std::vector<std::pair<std::string, std::string>> split_variables(std::string_view nul_separated) {
  std::vector<std::pair<std::string, std::string>> variables;
  for (const std::string& text : split_command_line(nul_separated)) {
    const std::size_t equal = text.find('=');
    if (equal == std::string::npos) continue;
    std::string name = text.substr(0, equal);
    const bool known = std::ranges::any_of(variables, [&](const auto& variable) { return variable.first == name; });
    if (known) continue;
    const bool whole = text.size() + 1 < NSL_VARIABLE_MAX;
    variables.emplace_back(std::move(name), whole ? text.substr(equal + 1) : std::string(cut_value));
  }
  return variables;
}

}  // namespace nslookout::identity
