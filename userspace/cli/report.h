// How a command speaks: data on stdout, diagnostics on stderr, the exit code. Only this folder prints and exits.
//
// Diagnostics go through base/log.h ("nslookout: error: …", control characters escaped). Nothing is ever coloured, so
// NO_COLOR holds by construction.
#pragma once

#include <string_view>

#include "base/result.h"

namespace nslookout::cli {

// The exit codes are those of ErrorClass, and this one.
inline constexpr int exit_ok = 0;

[[nodiscard]] constexpr int exit_code(ErrorClass kind) { return static_cast<int>(kind); }

// Writes the error to stderr and returns its exit code.
[[nodiscard]] int report(const Error& error);

// Writes all of text to stdout at once. A closed or full stdout is an error of class runtime.
[[nodiscard]] Result<void> print(std::string_view text);

// print(), reported when it fails: the last step of most commands.
[[nodiscard]] int finish_with(std::string_view text);

}  // namespace nslookout::cli
