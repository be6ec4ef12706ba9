// How much memory an event takes, for whoever keeps many: what its texts say is up to the process that it is about.
// Thread rule: any thread.
#pragma once

#include <cstddef>

#include "event/event.h"

namespace nslookout::event {

// Octets, roughly: of the structures, and of the texts that grow with what a process chooses.
[[nodiscard]] std::size_t weight_of(const Process& process);
[[nodiscard]] std::size_t weight_of(const Event& event);

}  // namespace nslookout::event
