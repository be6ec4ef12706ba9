#include "base/nameservers.h"

#include <sstream>
#include <string>

namespace nslookout {

std::vector<IpAddress> nameservers_of(std::string_view resolv_conf) {
  std::vector<IpAddress> servers;
  std::istringstream lines{std::string(resolv_conf)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string keyword;
    std::string value;
    words >> keyword >> value;
    if (keyword != "nameserver") continue;
    if (const auto address = parse_ip_address(value.substr(0, value.find('%'))); address) servers.push_back(*address);
  }
  return servers;
}

}  // namespace nslookout
