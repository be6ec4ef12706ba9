// Running this program once more as root, through sudo and without a password, as CI runners allow it.
// Thread rule: one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nslookout::cli {

// The path of this program's file.
[[nodiscard]] Result<std::string> own_executable();

[[nodiscard]] bool is_root();

// `sudo -n` this program with the arguments, with the variables NSLOOKOUT_… of this one's, and with those named that hold no
// '@', since a URL with a password has one and the words that sudo is given are anybody's to read; waits, and returns its
// exit code. Error: unsupported, when there is no such way.
[[nodiscard]] Result<int> run_as_root(const std::vector<std::string>& arguments,
                                      const std::vector<std::string_view>& variables = {});

}  // namespace nslookout::cli
