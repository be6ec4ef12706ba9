// Plain lists: one name a line; # and ; start a comment. Lists of wildcards are plain lists of "*.x".
#pragma once

#include <string_view>

#include "lists/collector.h"
#include "lists/name_table.h"

namespace nslookout::lists {

[[nodiscard]] Report parse_plain(std::string_view text, Scope scope, NameTable& table);

}  // namespace nslookout::lists
