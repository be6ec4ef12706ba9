// The step of a CI run that a program belongs to. Sources: each system's list of the variables it sets for a job.
// Thread rule: any thread.
#pragma once

#include <optional>

#include "event/event.h"
#include "identity/origin_facts.h"

namespace nslookout::identity {

[[nodiscard]] std::optional<event::Ci> ci_of(Chain chain);

}  // namespace nslookout::identity
