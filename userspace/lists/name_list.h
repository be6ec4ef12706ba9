// A list of names given on the command line or in the configuration (lists/spec.h), read from its file.
//
// A hit of a list is reported like a hit of a rule, with the id "list/<file name>" and the list's level.
// Allowed names are exceptions from their own list alone: another list or a rule still hits.
// Thread rule: read-only once loaded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lists/collector.h"
#include "lists/format.h"
#include "lists/name_table.h"

namespace nslookout::lists {

inline constexpr std::size_t max_list_octets = std::size_t{1} << 30;

struct NameList {
  std::string file;  // as given
  std::string id;    // "list/<file name>"
  std::string level = "high";
  Scope scope = Scope::exact;
  Format format = Format::plain;
  NameTable table;                    // a name of it is listed
  std::string column;                 // the title and the number of the column that was taken without being asked for
  std::size_t bad_lines = 0;          // left out
  std::string first_bad;              // "file:line:column: why"; empty without bad lines
  std::vector<std::string> warnings;  // sentences for whoever gave the list: bad lines, what a lookup cannot decide,
                                      // public suffixes
};

// Errors: usage (the spec), invalid (the file is missing, unreadable, no text, too large, or holds no usable name). Bad
// lines are no error: the caller shows the warnings.
[[nodiscard]] Result<NameList> load_list(std::string_view text);

}  // namespace nslookout::lists
