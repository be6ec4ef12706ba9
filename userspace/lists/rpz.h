// Response policy zones (draft-vixie-dnsop-dns-rpz) as zone files (RFC 1035 section 5).
//
// Read are the triggers on the name asked for: an owner x lists x, *.x the names below it, whatever the action (NXDOMAIN
// "CNAME .", NODATA "CNAME *.", an own answer …); "CNAME rpz-passthru." allows, and so does the older "x CNAME x.". What a
// list's scope says of names goes for the owners without "*.". Owners are taken relative to the zone, which is the owner
// of the SOA record, else the first $ORIGIN. The zone's own records and $TTL are passed over; triggers on addresses and
// name servers (rpz-ip and its kin) are counted as other; $INCLUDE and $GENERATE are bad lines.
#pragma once

#include <string_view>

#include "lists/collector.h"
#include "lists/name_table.h"

namespace nslookout::lists {

[[nodiscard]] Report parse_rpz(std::string_view text, Scope scope, NameTable& table);

}  // namespace nslookout::lists
