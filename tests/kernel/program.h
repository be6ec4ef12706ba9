// Programs that tests start, and what the process table says about them, as text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "bpf/abi.h"
#include "child.h"

namespace nslookout::kernel_test {

// This test's own binary, and the name that exec of it gives a process.
[[nodiscard]] std::string own_executable();
[[nodiscard]] std::string own_comm();

// The paths, from the components that the kernel stored leaf first, each closed by a slash.
[[nodiscard]] std::string executable_of(const nsl_process& process);
[[nodiscard]] std::string cwd_of(const nsl_process& process);
[[nodiscard]] std::string argv_of(const nsl_process& process);
// The argument that is the script's path; empty where there is none.
[[nodiscard]] std::string script_of(const nsl_process& process);

[[nodiscard]] std::string arguments_as_stored(const std::vector<std::string>& arguments);

struct Program {
  std::string path;  // empty: fd is executed
  std::vector<std::string> arguments;
  std::vector<std::string> environment = {};
  std::string cwd = {};
  int fd = -1;
};

// Runs it in a child of the calling process and waits for it; its pid goes to numbers[0].
[[nodiscard]] Result<void> exec_and_wait(const SharedNumbers& numbers, Program program);

}  // namespace nslookout::kernel_test
