#include "identity/origin_facts.h"

#include <algorithm>

#include "identity/kernel_process.h"

namespace nslookout::identity {
namespace {

constexpr bool is_digit(char octet) { return octet >= '0' && octet <= '9'; }

bool is_version(std::string_view text) {
  return !text.empty() && is_digit(text.front()) && text.find('.') != std::string_view::npos;
}

// As it was kept: with cut_value.
std::string_view kept_variable(const ProgramFacts& program, std::string_view name) {
  const auto found =
      std::ranges::find(program.environment, name, [](const auto& entry) -> std::string_view { return entry.first; });
  return found == program.environment.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

std::string_view variable(const ProgramFacts& program, std::string_view name) {
  const std::string_view value = kept_variable(program, name);
  return value == cut_value ? std::string_view() : value;
}

bool has_variable(const ProgramFacts& program, std::string_view name) { return !kept_variable(program, name).empty(); }

std::optional<std::size_t> nearest_with(Chain chain, std::string_view name) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (has_variable(chain[i], name)) return i;
  }
  return std::nullopt;
}

std::size_t first_with_same(Chain chain, std::size_t nearest, std::initializer_list<std::string_view> names) {
  std::size_t first = nearest;
  for (std::size_t i = nearest + 1; i < chain.size(); ++i) {
    bool same = true;
    bool none = true;
    for (const std::string_view name : names) {
      const std::string_view value = kept_variable(chain[i], name);
      same = same && value == kept_variable(chain[nearest], name);
      none = none && value.empty();
    }
    if (same) {
      first = i;
    } else if (!none) {
      break;
    }
  }
  return first;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::optional<NameVersion> split_name_version(std::string_view text) {
  std::optional<NameVersion> found;
  for (std::size_t dash = text.find('-'); dash != std::string_view::npos; dash = text.find('-', dash + 1)) {
    if (dash == 0 || dash + 1 == text.size() || !is_digit(text[dash + 1])) continue;
    if (found) return std::nullopt;
    found = NameVersion{text.substr(0, dash), text.substr(dash + 1)};
  }
  if (found && !is_version(found->version)) return std::nullopt;
  return found;
}

}  // namespace nslookout::identity
