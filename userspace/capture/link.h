// From a frame to the IP packet in it: Ethernet (with 802.1Q, 802.1ad, SNAP and PPPoE), Linux cooked captures v1 and v2,
// BSD loopback, raw IP.
//
// Link types are the numbers of the registry at https://www.tcpdump.org/linktypes.html, and the two that libpcap uses in
// memory for raw IP. Thread rule: any thread.
#pragma once

#include "capture/counts.h"
#include "capture/octets.h"

namespace nslookout::capture {

[[nodiscard]] bool is_link_type_read(int link_type);

// What lies behind the link layer's header, to the end of the frame (padding included).
// Skips: link_type, not_ip, malformed_packet (the frame ends within its header).
[[nodiscard]] Taken<Octets> ip_packet_of(int link_type, Octets frame);

}  // namespace nslookout::capture
