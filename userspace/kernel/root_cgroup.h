// Attaching to the root of the cgroup v2 tree, from where a program sees every process.
// Thread rule: any thread.
#pragma once

#include <vector>

#include "base/result.h"
#include "kernel/bpf_object.h"

namespace nslookout::kernel {

// Every program of a loaded object, in the order of its report(). None stays attached on an error (unsupported).
[[nodiscard]] Result<std::vector<Link>> attach_to_root_cgroup(const BpfObject& object);

}  // namespace nslookout::kernel
