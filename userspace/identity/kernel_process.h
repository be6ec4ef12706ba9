// The texts of the kernel's process table (struct nsl_process) in the form that events show.
// Thread rule: any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bpf/abi.h"

namespace nslookout::identity {

// "curl/bin/usr/" is "/usr/bin/curl", "/" is "/". With truncated, components next to the root are missing: ".../bin/curl". A
// component that is not closed by '/' was cut and is left out. Empty for empty.
[[nodiscard]] std::string path_from_reversed(std::string_view reversed, bool truncated);

// Whether that whole path may be the known one, which may be such a path with components missing.
[[nodiscard]] bool completes(std::string_view whole, std::string_view known);

// Whether two keys are of one process.
[[nodiscard]] inline bool same_process(const nsl_process_key& a, const nsl_process_key& b) {
  return a.start_boottime == b.start_boottime && a.tgid == b.tgid;
}

// Arguments that are each closed by NUL; the last may lack it (cut, or overwritten by the process). Empty arguments are
// arguments. No more than max_arguments, since a line may be nothing but empty ones; cut says that there were more.
inline constexpr std::size_t max_arguments = 256;
[[nodiscard]] std::vector<std::string> split_command_line(std::string_view nul_separated, bool* cut = nullptr);

// The value of a variable that is not known because it was cut. No value has a NUL.
inline constexpr std::string_view cut_value("\0", 1);

// Variables that are each closed by NUL, "NAME=value"; of two of the same name the first counts, as for getenv(3). One that
// fills NSL_VARIABLE_MAX was cut, or cannot be told from one that was: its value is cut_value.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> split_variables(std::string_view nul_separated);

// A fixed field that is closed by NUL unless full.
template <std::size_t size>
[[nodiscard]] std::string text_of(const char (&field)[size]) {
  const std::string_view text(field, size);
  return std::string(text.substr(0, text.find('\0')));
}

}  // namespace nslookout::identity
