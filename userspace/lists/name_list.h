// A list of names given on the command line or in the configuration: "exact:FILE" or "suffix:FILE".
//
// A hit of a list is reported like a hit of a rule, with the id "list/<file name>" and the list's level.
// Thread rule: read-only once loaded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lists/name_table.h"
#include "lists/plain.h"

namespace nslookout::lists {

inline constexpr std::size_t max_list_octets = std::size_t{1} << 30;

struct NameList {
  std::string file;  // as given
  std::string id;    // "list/<file name>"
  std::string level = "high";
  Scope scope = Scope::exact;
  NameTable table;            // never empty
  std::size_t bad_lines = 0;  // left out
  std::string first_bad;      // "file:line: why"; empty without bad lines
};

// Errors: usage (the spec is neither exact: nor suffix:), invalid (the file is missing, unreadable, too large, or holds
// no usable name). Bad lines are no error: the caller shows first_bad and the count.
[[nodiscard]] Result<NameList> load_list(std::string_view spec);

}  // namespace nslookout::lists
