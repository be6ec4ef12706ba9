// A pattern of a rule against a text (the semantics are in sigma/pattern.h).
//
// Time: linear in the text for a pattern with one run at either end; at worst the product of the two lengths.
#pragma once

#include <cstddef>
#include <string_view>

#include "sigma/pattern.h"

namespace nslookout::match {

// Characters of a name in presentation form, an escape being one.
[[nodiscard]] std::size_t name_length(std::string_view name);

// text: folded (base/case_fold.h) unless the pattern is cased.
[[nodiscard]] bool matches_text(const sigma::Pattern& pattern, std::string_view text);

// The same for a name in presentation form, whose escapes are one character each.
[[nodiscard]] bool matches_name(const sigma::Pattern& pattern, std::string_view name);

}  // namespace nslookout::match
