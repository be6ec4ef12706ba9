// A key of a selection, "field|modifier|modifier": its parts, and which modifiers nslookout evaluates.
//
// Evaluated: contains, startswith, endswith (at most one of the three), all, cased, neq. Every other modifier, known to
// Sigma or not, refuses the rule: dropping it would change what the rule means.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sigma/findings.h"

namespace nslookout::sigma {

enum class Comparison { equals, contains, startswith, endswith };

struct Key {
  std::string field;
  Comparison comparison = Comparison::equals;
  bool all = false;
  bool cased = false;
  bool neq = false;
};

[[nodiscard]] std::optional<Key> parse_key(std::string_view text, Place place, Findings& findings);

}  // namespace nslookout::sigma
