// What is reported besides matches.
// Thread rule: a value.
#pragma once

#include <string_view>

namespace nslookout::agent {

enum class Observe { matches, all, unique };

// name: "matches", "all" or "unique", as the command line has checked.
[[nodiscard]] constexpr Observe observe_from_name(std::string_view name) {
  if (name == "all") return Observe::all;
  return name == "unique" ? Observe::unique : Observe::matches;
}

}  // namespace nslookout::agent
