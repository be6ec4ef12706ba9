// A snapshot as `nslookout status --format json` prints it, and as people read it.
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "health/snapshot.h"

namespace nslookout::health {

// One object, one line.
[[nodiscard]] std::string status_json(const Snapshot& snapshot, WallTime now);

// From that object. Error: runtime, when it is none.
[[nodiscard]] Result<std::string> status_text(std::string_view json);

}  // namespace nslookout::health
