// The levels of rules and lists, in Sigma's words. Source: Sigma rule specification 2.1, "level".
// Thread rule: any thread.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace nslookout {

inline constexpr std::array<std::string_view, 5> levels = {"informational", "low", "medium", "high", "critical"};

[[nodiscard]] inline bool is_level(std::string_view text) { return std::ranges::find(levels, text) != levels.end(); }

// 1 to 5, the gravest last. What is none of them, and a level that is missing, counts as "medium".
[[nodiscard]] inline int level_rank(std::string_view level) {
  const auto* found = std::ranges::find(levels, is_level(level) ? level : "medium");
  return static_cast<int>(found - levels.begin()) + 1;
}

}  // namespace nslookout
