// The system calls that a running agent makes, by what they are for. Everything else is refused (syscall_filter.h).
// A name that this architecture or this libseccomp does not know is left out. Thread rule: constants.
#pragma once

#include <span>

namespace nslookout::confine {

struct SyscallGroup {
  const char* purpose;
  std::span<const char* const> names;
};

// Those that are allowed whatever their arguments; syscall_filter.cc has the few that are looked at.
[[nodiscard]] std::span<const SyscallGroup> allowed_syscalls();

}  // namespace nslookout::confine
