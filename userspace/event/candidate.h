// The parts of an event that a kernel candidate alone tells.
// Thread rule: any thread.
#pragma once

#include "bpf/abi.h"
#include "event/event.h"

namespace nslookout::event {

// The question, its server and its source. A name that is not well formed (never from the kernel's parser, which checks
// it) leaves query empty and query_wire as it is.
[[nodiscard]] Dns describe_dns(const nsl_candidate& candidate);

}  // namespace nslookout::event
