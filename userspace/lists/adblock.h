// Filter lists of ad blockers (the syntax of Adblock Plus and AdGuard), as far as they are about lookups.
//
// "||x^" and "||x^|" list x, "@@||x^" allows it, a name alone lists it. ! starts a comment, and so do # before a blank
// and [. What is about parts of pages, paths, patterns or some requests only (cosmetic rules, "||x/y", "$third-party")
// cannot be decided by a lookup: it is counted as other. Options that do not narrow a rule down are fine.
#pragma once

#include <string_view>

#include "lists/collector.h"
#include "lists/name_table.h"

namespace nslookout::lists {

[[nodiscard]] Report parse_adblock(std::string_view text, Scope scope, NameTable& table);

// Whether a line hides parts of pages ("##", "#@#" and their kin): no other format has such lines.
[[nodiscard]] bool is_cosmetic(std::string_view line);

}  // namespace nslookout::lists
