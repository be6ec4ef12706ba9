// Ways around the sensor (kernel/bypasses.h), as events tell of them. Thread rule: pure, but for the files of /proc.
#pragma once

#include <string>

#include "bpf/abi.h"
#include "event/event.h"

namespace nslookout::agent {

[[nodiscard]] event::Bypass describe_bypass(const nsl_bypass& bypass);

// Whether the resolv.conf that the process sees, in a container its own, names the address. Yes where that is not known, for one
// that has ended or that may not be looked into: nobody is accused for want of knowledge. A root without the file names nothing.
[[nodiscard]] bool may_be_configured_to_ask(const nsl_bypass& bypass, const std::string& proc_root);

}  // namespace nslookout::agent
