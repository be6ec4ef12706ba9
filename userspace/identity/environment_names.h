// The variables of other processes' environments that are ever read, by exact name: the only place that says which.
// Kernel and user space both read by this list, so no other variable's value reaches an event, a log or a core file.
//
// Invariants (tests hold them): at most environment_name_max octets each, sorted, no name twice, and none that carries
// a secret: no token, key, password, secret, and no URL of a repository or a proxy, which may hold one.
// What each is for: origin_package.cc, origin_ci.cc; for users: docs/origin.md.
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace nslookout::identity {

// With its NUL a name fits a key of 32 octets.
inline constexpr std::size_t environment_name_max = 31;

[[nodiscard]] std::span<const std::string_view> allowed_environment();

}  // namespace nslookout::identity
