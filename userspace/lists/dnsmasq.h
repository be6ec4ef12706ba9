// Configuration of dnsmasq(8) as block lists use it. # starts a comment.
//
// "address=/x/…", "local=/x/" and "server=/x/" (no server: never forwarded) list x; several names may stand between the
// slashes. "server=/x/#" (the usual servers) allows x. Any other setting, such as a server for a name, is counted as
// other.
#pragma once

#include <string_view>

#include "lists/collector.h"
#include "lists/name_table.h"

namespace nslookout::lists {

[[nodiscard]] Report parse_dnsmasq(std::string_view text, Scope scope, NameTable& table);

}  // namespace nslookout::lists
