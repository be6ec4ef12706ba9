// What `hunt` found: text, a line for each rule of a lookup, or JSON, a line for each lookup.
// Thread rule: pure functions.
#pragma once

#include <string>

#include "inventory/lookup.h"

namespace nslookout::cli {

// lookup.rules: those that were hunted for and match it.
[[nodiscard]] std::string hunt_text(const inventory::Lookup& lookup);
[[nodiscard]] std::string hunt_json(const inventory::Lookup& lookup);

}  // namespace nslookout::cli
