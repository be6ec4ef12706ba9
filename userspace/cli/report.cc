#include "cli/report.h"

#include <unistd.h>

#include <cerrno>

#include "base/log.h"

namespace nslookout::cli {

int report(const Error& error) {
  log::error("{}", error.message);
  return exit_code(error.kind);
}

Result<void> print(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(ErrorClass::runtime, "stdout cannot be written: {}", errno_text(errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

int finish_with(std::string_view text) {
  const auto printed = print(text);
  return printed ? exit_ok : report(printed.error());
}

}  // namespace nslookout::cli
