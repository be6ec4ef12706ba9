// Plain lists of names and hosts files: text -> table.
//
// A line is one name, or an address and names (hosts(5)); # and ; start a comment. A name may have any case, a trailing
// dot, the escapes of presentation form and labels outside ASCII (which become A-labels). "*.x" and ".x" mean the names
// below x and not x itself. Names that hosts files carry for the machine itself (localhost and its kin) are left out.
// A line that is none of this is counted and left out, never fatal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lists/name_table.h"

namespace nslookout::lists {

// What a name without "*." stands for.
enum class Scope {
  exact,   // itself
  suffix,  // itself and every name below it
};

struct PlainReport {
  std::size_t bad_lines = 0;
  std::size_t first_bad_line = 0;  // counted from 1
  std::string first_bad_reason;
};

[[nodiscard]] PlainReport parse_plain(std::string_view text, Scope scope, NameTable& table);

}  // namespace nslookout::lists
