// A text by lines, and a line by words.
#pragma once

#include <algorithm>
#include <string_view>

namespace nslookout::lists {

inline constexpr std::string_view blanks = " \t\r\v\f";

// Takes the next line off the text, without its LF or CR LF.
[[nodiscard]] inline std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Takes the next word off the line; empty at its end.
[[nodiscard]] inline std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const std::size_t end = std::min(line.find_first_of(blanks), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

[[nodiscard]] inline std::string_view trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// The line up to the first of some characters, which start a comment.
[[nodiscard]] inline std::string_view before_any(std::string_view line, std::string_view marks) {
  return line.substr(0, std::min(line.find_first_of(marks), line.size()));
}

}  // namespace nslookout::lists
