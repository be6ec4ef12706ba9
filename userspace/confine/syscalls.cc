#include "confine/syscalls.h"

namespace nslookout::confine {
namespace {

constexpr const char* memory[] = {"brk",    "madvise", "membarrier", "memfd_create", "mincore", "mlock",
                                  "mlock2", "mremap",  "msync",      "munlock",      "munmap"};

constexpr const char* threads[] = {"arch_prctl",
                                   "clone3",  // glibc's way to start a thread; its flags are out of a filter's reach
                                   "exit",
                                   "exit_group",
                                   "futex",
                                   "futex_time64",
                                   "futex_waitv",
                                   "get_robust_list",
                                   "getcpu",
                                   "prctl",
                                   "restart_syscall",
                                   "rseq",
                                   "sched_get_priority_max",
                                   "sched_get_priority_min",
                                   "sched_getaffinity",
                                   "sched_getattr",
                                   "sched_getparam",
                                   "sched_getscheduler",
                                   "sched_yield",
                                   "set_robust_list",
                                   "set_tid_address"};

constexpr const char* signals[] = {"pause",           "rt_sigaction", "rt_sigpending",
                                   "rt_sigprocmask",  "rt_sigreturn", "rt_sigsuspend",
                                   "rt_sigtimedwait", "sigaltstack",  "signalfd4"};

constexpr const char* time_and_waiting[] = {"clock_getres",
                                            "clock_gettime",
                                            "clock_nanosleep",
                                            "epoll_create",
                                            "epoll_create1",
                                            "epoll_ctl",
                                            "epoll_pwait",
                                            "epoll_pwait2",
                                            "epoll_wait",
                                            "eventfd",
                                            "eventfd2",
                                            "gettimeofday",
                                            "nanosleep",
                                            "poll",
                                            "ppoll",
                                            "pselect6",
                                            "select",
                                            "time",
                                            "timer_create",
                                            "timer_delete",
                                            "timer_getoverrun",
                                            "timer_gettime",
                                            "timer_settime",
                                            "timerfd_create",
                                            "timerfd_gettime",
                                            "timerfd_settime",
                                            "times"};

// Rules and lists, /proc, outputs with their rotation and spools, the history's database.
constexpr const char* files[] = {"access",      "chdir",
                                 "chmod",       "close",
                                 "close_range", "copy_file_range",
                                 "creat",       "dup",
                                 "dup2",        "dup3",
                                 "faccessat",   "faccessat2",
                                 "fadvise64",   "fallocate",
                                 "fchdir",      "fchmod",
                                 "fchmodat",    "fchown",
                                 "fcntl",       "fdatasync",
                                 "fgetxattr",   "flistxattr",
                                 "flock",       "fstat",
                                 "fstatfs",     "fsync",
                                 "ftruncate",   "getcwd",
                                 "getdents",    "getdents64",
                                 "getxattr",    "ioctl",
                                 "lgetxattr",   "link",
                                 "linkat",      "lseek",
                                 "lstat",       "mkdir",
                                 "mkdirat",     "newfstatat",
                                 "open",        "openat",
                                 "openat2",     "pipe",
                                 "pipe2",       "pread64",
                                 "preadv",      "preadv2",
                                 "pwrite64",    "pwritev",
                                 "pwritev2",    "read",
                                 "readahead",   "readlink",
                                 "readlinkat",  "readv",
                                 "rename",      "renameat",
                                 "renameat2",   "rmdir",
                                 "sendfile",    "splice",
                                 "stat",        "statfs",
                                 "statx",       "symlink",
                                 "symlinkat",   "sync_file_range",
                                 "truncate",    "umask",
                                 "unlink",      "unlinkat",
                                 "utime",       "utimensat",
                                 "utimes",      "write",
                                 "writev"};

constexpr const char* changes_of_files[] = {"inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch"};

// Container runtimes, outputs, metrics, answers to blocked lookups.
constexpr const char* network[] = {"accept",     "accept4", "bind",       "connect",  "getpeername", "getsockname",
                                   "getsockopt", "listen",  "recvfrom",   "recvmmsg", "recvmsg",     "sendmmsg",
                                   "sendmsg",    "sendto",  "setsockopt", "shutdown", "socketpair"};

constexpr const char* own_identity[] = {"capget",    "capset",  "getegid", "geteuid", "getgid",      "getgroups",
                                        "getpgid",   "getpgrp", "getpid",  "getppid", "getpriority", "getresgid",
                                        "getresuid", "getsid",  "gettid",  "getuid"};

constexpr const char* host_and_limits[] = {"getrandom", "getrlimit", "getrusage", "prlimit64",
                                           "setrlimit", "sysinfo",   "uname"};

constexpr const char* kernel_side[] = {"bpf",
                                       "name_to_handle_at",  // with the next: the path of a cgroup from its id
                                       "open_by_handle_at"};

constexpr SyscallGroup groups[] = {
    {"memory", memory},
    {"threads", threads},
    {"signals", signals},
    {"time and waiting", time_and_waiting},
    {"files", files},
    {"changes of rules and lists", changes_of_files},
    {"network", network},
    {"who it is itself", own_identity},
    {"the host and limits", host_and_limits},
    {"the kernel side", kernel_side},
};

}  // namespace

std::span<const SyscallGroup> allowed_syscalls() { return groups; }

}  // namespace nslookout::confine
