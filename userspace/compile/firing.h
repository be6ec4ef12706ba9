// Whether lookups on this sensor can make a rule true, and which of its tests they never can: what a rule's author wants
// to know of a rule that was written for another sensor. A report relies on what people mean; what the kernel may keep is in witness.h.
#pragma once

#include <cstdint>
#include <string>

#include "sigma/ast.h"

namespace nslookout::compile {

enum class Firing : std::uint8_t {
  always,    // every test can hold
  degraded,  // the rule can fire, but tests that never hold here take part in it
  never,
};

struct FiringReport {
  Firing firing = Firing::always;
  std::string reason;  // one sentence without a full stop
};

// Tests are taken as independent of one another, so a rule that contradicts itself counts as one that can fire.
[[nodiscard]] FiringReport firing_of(const sigma::Rule& rule);

// Whether the field is the path of a file or folder. A path that the sensor reports has no backslash: one in the name of a
// file, which Linux allows, is another character for the rules (match/query.h), and a path of Windows is that of no
// program here.
[[nodiscard]] bool is_path(sigma::Field field);

// Whether the value is a path of Windows: a text with a backslash, for a field that is a path.
[[nodiscard]] bool needs_windows_path(const sigma::Test& test, const sigma::Value& value);

// Whether the value is a text that is no number, for a field that always is one: nothing equals it.
[[nodiscard]] bool compares_number_with_text(const sigma::Test& test, const sigma::Value& value);

}  // namespace nslookout::compile
