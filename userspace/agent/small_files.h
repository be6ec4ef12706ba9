// Small files of configuration, the host's and those that a process in a container sees.
// Thread rule: any thread.
#pragma once

#include <optional>
#include <string>

namespace nslookout::agent {

// Empty for what is no regular file, cannot be read or is larger than 64 KiB.
[[nodiscard]] std::string read_small_file(const std::string& path);

// A file as the process sees it whose root this is ("/proc/PID/root"): symbolic links lead to nothing outside of that. Its file
// system may be one that the process serves itself and never answers: nothing after half a second, nor while several such readings
// hang. Nothing either where the root cannot be opened: the process has ended, or may not be looked into. Otherwise as above.
[[nodiscard]] std::optional<std::string> read_in_root(const std::string& root, const char* path);

// Whether roots of other processes can be opened at all, told by that of process 1: it takes CAP_SYS_PTRACE.
[[nodiscard]] bool can_open_roots(const std::string& proc_root);

}  // namespace nslookout::agent
