// Diagnostics, always on stderr, one line each: "nslookout: <level>: <text>". Data never goes through here.
// Control characters in the text are escaped, so that a hostile name or path cannot forge a line.
// Thread rule: any thread; a line is written by one write(2).
#pragma once

#include <string_view>

#include <fmt/format.h>

namespace nslookout::log {

enum class Level { error = 0, warning = 1, notice = 2, debug = 3 };

void set_level(Level most_verbose);
[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view text);

template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void notice(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::notice, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace nslookout::log
