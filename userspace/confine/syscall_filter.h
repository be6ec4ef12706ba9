// A seccomp filter for all threads, and no_new_privs: a running agent starts no program, traces nobody, loads no module,
// makes no memory both writable and executable and enters no namespace but a network's.
//
// A call that is not on the list fails with EPERM: the agent goes on, and the kernel's log names the call ("audit: type=1326 …
// syscall=NUMBER", `ausyscall NUMBER`). A call that is newer than this list fails with ENOSYS and silently, so that a newer
// libc takes its older way. Sources: seccomp(2), libseccomp's seccomp_rule_add(3), Documentation/userspace-api/no_new_privs.
// Thread rule: one call, for all threads that are and will be.
#pragma once

#include "base/result.h"

namespace nslookout::confine {

// Errors: unsupported (the kernel has no seccomp), runtime. On an error, some of it may be in force.
[[nodiscard]] Result<void> filter_syscalls();

}  // namespace nslookout::confine
