#include "confine/syscall_filter.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <memory>

#include "confine/syscalls.h"

namespace nslookout::confine {
namespace {

// The kernel numbers new calls alike on all architectures since 5.1; 450 is the last that libseccomp 2.5.4 knows.
constexpr int first_newer = 451;
constexpr int last_newer = 550;

constexpr scmp_datum_t new_namespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

struct Released {
  void operator()(scmp_filter_ctx filter) const { seccomp_release(filter); }
};

class Filter {
 public:
  explicit Filter(std::uint32_t otherwise) : context_(seccomp_init(otherwise)) {}

  void set(scmp_filter_attr attribute, std::uint32_t value) {
    if (context_) note(seccomp_attr_set(context_.get(), attribute, value));
  }

  void add(std::uint32_t action, int number, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    if (context_)
      note(seccomp_rule_add_array(context_.get(), action, number, static_cast<unsigned>(arguments.size()),
                                  arguments.size() == 0 ? nullptr : arguments.begin()));
  }

  void allow(const char* name, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number >= 0) add(SCMP_ACT_ALLOW, number, arguments);  // negative: not here
  }

  [[nodiscard]] Result<void> load() {
    if (!context_) return fail(ErrorClass::runtime, "seccomp: no filter can be made");
    if (error_ != 0) return fail(ErrorClass::runtime, "seccomp: the filter: {}", errno_text(error_));
    const int outcome = seccomp_load(context_.get());
    if (outcome == -EINVAL || outcome == -ENOSYS || outcome == -EOPNOTSUPP) {
      return fail(ErrorClass::unsupported, "seccomp: this kernel has no filters for system calls");
    }
    if (outcome != 0) return fail(ErrorClass::runtime, "seccomp: {}", errno_text(-outcome));
    return {};
  }

 private:
  void note(int outcome) {
    if (outcome != 0 && error_ == 0) error_ = -outcome;
  }

  std::unique_ptr<void, Released> context_;
  int error_ = 0;
};

void for_all_threads(Filter& filter) {
  filter.set(SCMP_FLTATR_CTL_TSYNC, 1);
  filter.set(SCMP_FLTATR_CTL_NNP, 1);
  filter.set(SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree: some eight comparisons a call
}

// Without the flag that has refusals logged.
Result<void> answer_newer_calls() {
  Filter filter(SCMP_ACT_ALLOW);
  for_all_threads(filter);
  for (int number = first_newer; number <= last_newer; ++number) filter.add(SCMP_ACT_ERRNO(ENOSYS), number);
  return filter.load();
}

void allow_memory(Filter& filter) {
  // Protection: any, but not writable and executable at once; and what was written is never made executable.
  constexpr scmp_datum_t both = PROT_WRITE | PROT_EXEC;
  for (const scmp_datum_t protection : {0, PROT_WRITE, PROT_EXEC}) {
    filter.allow("mmap", {SCMP_A2_64(SCMP_CMP_MASKED_EQ, both, protection)});
  }
  filter.allow("mprotect", {SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)});
}

void allow_by_argument(Filter& filter) {
  allow_memory(filter);
  filter.allow("clone", {SCMP_A0_64(SCMP_CMP_MASKED_EQ, new_namespaces, 0)});
  filter.allow("setns", {SCMP_A1_64(SCMP_CMP_EQ, CLONE_NEWNET)});
  filter.allow("tgkill", {SCMP_A0_64(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()))});  // abort(3)
  for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}) {
    filter.allow("socket", {SCMP_A0_64(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family))});
  }
}

Result<void> allow_listed_calls() {
  Filter filter(SCMP_ACT_ERRNO(EPERM));
  for_all_threads(filter);
  filter.set(SCMP_FLTATR_CTL_LOG, 1);
  for (const SyscallGroup& group : allowed_syscalls()) {
    for (const char* name : group.names) filter.allow(name);
  }
  allow_by_argument(filter);
  for (int number = first_newer; number <= last_newer; ++number) filter.add(SCMP_ACT_ALLOW, number);
  return filter.load();
}

}  // namespace

Result<void> filter_syscalls() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return fail(ErrorClass::runtime, "no_new_privs: {}", errno_text(errno));
  }
  if (const auto answered = answer_newer_calls(); !answered)
    return answered;  // needs seccomp(2), which the next refuses
  return allow_listed_calls();
}

}  // namespace nslookout::confine
