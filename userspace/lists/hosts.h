// Hosts files (hosts(5)): an address and names; # starts a comment. A name alone on a line is taken too, since such lists
// are often added to by hand.
//
// Names that hosts files carry for the machine itself (localhost and its kin) are left out.
#pragma once

#include <string_view>

#include "lists/collector.h"
#include "lists/name_table.h"

namespace nslookout::lists {

[[nodiscard]] Report parse_hosts(std::string_view text, Scope scope, NameTable& table);

}  // namespace nslookout::lists
