// Ways around the sensor (kernel/bypasses.h), as events tell of them. Thread rule: pure, but for the files of /proc.
#pragma once

#include <string>

#include "bpf/abi.h"
#include "event/event.h"

namespace nslookout::agent {

[[nodiscard]] event::Bypass describe_bypass(const nsl_bypass& bypass);

// Whether the resolv.conf that the process sees, in a container its own, names the address. No for one that has ended.
[[nodiscard]] bool is_configured_to_ask(const nsl_bypass& bypass, const std::string& proc_root);

}  // namespace nslookout::agent
