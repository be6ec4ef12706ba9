// Running this program once more as root, through sudo and without a password, as CI runners allow it.
// Thread rule: one thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace nslookout::cli {

// The path of this program's file.
[[nodiscard]] Result<std::string> own_executable();

[[nodiscard]] bool is_root();

// `sudo -n` this program with the arguments and with the variables NSLOOKOUT_… of this one's; waits, and returns its exit
// code. Error: unsupported, when there is no such way.
[[nodiscard]] Result<int> run_as_root(const std::vector<std::string>& arguments);

}  // namespace nslookout::cli
