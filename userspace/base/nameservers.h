// The servers of a resolv.conf(5). Thread rule: pure functions.
#pragma once

#include <string_view>
#include <vector>

#include "base/ip_address.h"

namespace nslookout {

// Of its `nameserver` lines, in order, the zone of a link-local address left out. What is no address is left out, as
// resolvers do.
[[nodiscard]] std::vector<IpAddress> nameservers_of(std::string_view resolv_conf);

}  // namespace nslookout
