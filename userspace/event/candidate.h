// The parts of an event that a kernel candidate alone tells.
// Thread rule: any thread.
#pragma once

#include <string_view>

#include "bpf/abi.h"
#include "event/event.h"

namespace nslookout::event {

// The name as sent, in wire form: the candidate's own octets.
[[nodiscard]] std::string_view wire_name(const nsl_candidate& candidate);

// The question, its server and its source. A name that is not well formed (never from the kernel's parser, which checks
// it) leaves query empty and query_wire as it is.
[[nodiscard]] Dns describe_dns(const nsl_candidate& candidate);

}  // namespace nslookout::event
