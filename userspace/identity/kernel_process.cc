#include "identity/kernel_process.h"

#include <algorithm>
#include <cstddef>

#include "base/text.h"
#include "event/event.h"

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
  if (truncated && !path.empty()) path.insert(0, event::cut_away);
  return path;
}

bool completes(std::string_view whole, std::string_view known) {
  if (known.starts_with(event::cut_away)) known.remove_prefix(event::cut_away.size());
  return whole.ends_with(known);
}

std::vector<std::string> split_command_line(std::string_view nul_separated, bool* cut) {
  std::vector<std::string> arguments;
  while (!nul_separated.empty() && arguments.size() < max_arguments) {
    arguments.emplace_back(take_until(nul_separated, '\0'));
  }
  if (cut != nullptr) *cut = !nul_separated.empty();
  return arguments;
}

std::vector<std::pair<std::string, std::string>> split_variables(std::string_view nul_separated) {
  std::vector<std::pair<std::string, std::string>> variables;
  while (!nul_separated.empty()) {
    const std::string text(take_until(nul_separated, '\0'));
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
