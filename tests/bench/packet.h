// Packets for BPF_PROG_TEST_RUN: Ethernet, IPv4, UDP and a DNS query, or another payload.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nslookout::bench {

// One datagram to the port, from a high port; the addresses are of a documentation network (RFC 5737).
[[nodiscard]] std::string udp_packet(std::uint16_t port, std::string_view payload);

}  // namespace nslookout::bench
