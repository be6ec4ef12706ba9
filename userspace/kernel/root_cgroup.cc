#include "kernel/root_cgroup.h"

#include <fcntl.h>

#include <cerrno>

#include "base/fd.h"
#include "kernel/host.h"

namespace nslookout::kernel {

Result<std::vector<Link>> attach_to_root_cgroup(const BpfObject& object) {
  const Result<std::string> root = Host().root_cgroup2();
  if (!root) return fail(root.error());
  const Fd cgroup(::open(root->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!cgroup.valid()) {
    return fail(ErrorClass::unsupported, "opening the root cgroup {}: {}", *root, errno_text(errno));
  }
  std::vector<Link> links;
  for (const ProgramReport& report : object.report()) {
    Link link(bpf_program__attach_cgroup(object.program(report.name.c_str()), cgroup.get()));
    if (!link) {
      return fail(ErrorClass::unsupported,
                  "attaching {} to the root cgroup {}: {}; another program may be attached there exclusively (bpftool "
                  "cgroup tree shows it)",
                  report.name, *root, errno_text(errno));
    }
    links.push_back(std::move(link));
  }
  return links;
}

}  // namespace nslookout::kernel
