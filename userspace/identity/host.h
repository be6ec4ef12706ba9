// This host, as events name it. Read once: none of it changes within a run that matters.
// Thread rule: any thread.
#pragma once

#include <string>

#include "event/event.h"

namespace nslookout::identity {

// What cannot be read stays empty.
[[nodiscard]] event::Host describe_host(const std::string& proc_root = "/proc");

}  // namespace nslookout::identity
