// Taking texts apart and putting them together, where the standard library has nothing of the kind.
// Thread rule: any thread.
#pragma once

#include <algorithm>
#include <array>
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

// The next word, which is removed from the rest together with the white space before it; empty at the end.
[[nodiscard]] inline std::string_view take_word(std::string_view& rest) {
  constexpr std::string_view white = " \t\n\v\f\r";
  rest.remove_prefix(std::min(rest.find_first_not_of(white), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(white));
  rest.remove_prefix(word.size());
  return word;
}

// The next words, empty ones behind the end.
template <std::size_t count>
[[nodiscard]] std::array<std::string_view, count> take_words(std::string_view& rest) {
  std::array<std::string_view, count> words;
  for (std::string_view& word : words) word = take_word(rest);
  return words;
}

// Of a text in UTF-8: not one of a character's further octets.
[[nodiscard]] inline bool begins_code_point(char octet) { return (static_cast<unsigned char>(octet) & 0xC0) != 0x80; }

// "1 rule", "2 rules".
[[nodiscard]] inline std::string counted(std::size_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

}  // namespace nslookout
