#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <string>

#include "base/escape.h"

namespace nslookout::log {
namespace {

std::atomic<Level> most_verbose_level{Level::notice};

std::string_view level_name(Level level) {
  switch (level) {
    case Level::error:
      return "error: ";
    case Level::warning:
      return "warning: ";
    case Level::notice:
      return "";
    case Level::debug:
      return "debug: ";
  }
  return "";
}

}  // namespace

void set_level(Level most_verbose) { most_verbose_level = most_verbose; }

bool enabled(Level level) { return level <= most_verbose_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view text) {
  if (!enabled(level)) return;
  const std::string line = fmt::format("nslookout: {}{}\n", level_name(level), escape_controls(text));
  // A diagnostic that cannot be written has nowhere else to go.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace nslookout::log
