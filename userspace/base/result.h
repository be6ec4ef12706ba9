// The one error convention below the command line: every fallible function returns Result<T>.
//
//   Result<Fd> open_cgroup(...);
//   auto fd = open_cgroup(...);
//   if (!fd) return fail(fd.error().context("opening the root cgroup"));
//
// An Error is one sentence for a person (what, where, what to do) and the class that becomes the exit code of the
// command. Exceptions of libraries are caught at their boundary and turned into one. Thread rule: values, no sharing.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <tl/expected.hpp>

namespace nslookout {

// The numbers are the process's exit codes (docs and DESIGN name them), so that cli/ needs no second table.
enum class ErrorClass : int {
  runtime = 1,      // an operation failed while running
  usage = 2,        // the command line is wrong
  invalid = 3,      // rules, lists or configuration are wrong
  unsupported = 4,  // the kernel lacks something, or the privilege is missing
};

struct Error {
  ErrorClass kind = ErrorClass::runtime;
  std::string message;

  // "what was being done: what went wrong"
  [[nodiscard]] Error context(std::string_view doing) const {
    return Error{kind, fmt::format("{}: {}", doing, message)};
  }
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorClass kind, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{kind, fmt::format(format, std::forward<Args>(args)...)});
}

// The text of an errno value; thread-safe, unlike strerror.
[[nodiscard]] std::string errno_text(int error_number);

}  // namespace nslookout
