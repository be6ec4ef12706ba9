// Taking texts apart and putting them together, where the standard library has nothing of the kind.
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace nslookout {

// The part up to the separator, which is removed from the rest together with it; all of it where there is no separator.
[[nodiscard]] inline std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view head = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return head;
}

// "1 rule", "2 rules".
[[nodiscard]] inline std::string counted(std::size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

}  // namespace nslookout
