// Network namespaces of the tests: ports never collide with anybody's, and nothing leaves the machine.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace nslookout::kernel_test {

// Moves the calling process into a network namespace of its own with the loopback up. Loopback accepts packets that an
// AF_PACKET socket made (route_localnet, accept_local). Error class unsupported without privilege.
[[nodiscard]] Result<void> enter_own_network_namespace();

// The inode of the calling process's network namespace.
[[nodiscard]] std::uint64_t network_namespace_inode();

// Loads an nft script into the calling process's network namespace. Class unsupported where nft is not installed or the
// kernel has no NAT.
[[nodiscard]] Result<void> load_nft_script(const std::string& script);

}  // namespace nslookout::kernel_test
