// The list of public resolvers whose addresses mean encrypted DNS (deploy/resolvers/public.txt, or a user's own).
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"

namespace nslookout::agent {

inline constexpr std::size_t max_resolvers = 16384;

// The one that is built in.
extern const std::string_view default_resolver_list;

// One address a line, a remark behind '#'. Each once. Errors: invalid, file:line:column.
[[nodiscard]] Result<std::vector<IpAddress>> parse_resolver_list(std::string_view text, const std::string& file);

// Of that file; the list that is built in where file is empty.
[[nodiscard]] Result<std::vector<IpAddress>> read_resolver_list(const std::string& file);

}  // namespace nslookout::agent
