// Where the resolvers of a host listen that are asked without a DNS packet: systemd-resolved's varlink interface first, then
// nscd's. bpf/unix_clients.bpf.h knows the same paths.
#pragma once

#include <array>
#include <string_view>

namespace nslookout {

inline constexpr std::array<std::string_view, 3> resolver_sockets = {"/run/systemd/resolve/io.systemd.Resolve",
                                                                     "/run/nscd/socket", "/var/run/nscd/socket"};

}  // namespace nslookout
