// IPv4 with options (RFC 791) and IPv6 with extension headers (RFC 8200): what a packet carries, and for whom.
// Checksums are not looked at: a capture on the sending host has them before the network card fills them in.
// Thread rule: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "capture/counts.h"
#include "capture/octets.h"

namespace nslookout::capture {

struct Address {
  std::array<std::uint8_t, 16> octets{};  // IPv4 in the first four

  friend auto operator<=>(const Address&, const Address&) = default;
};

// Where a fragment belongs in its datagram. Octets, not units of eight.
struct FragmentPlace {
  std::uint32_t id = 0;
  std::size_t offset = 0;
  bool more = false;  // others follow
};

struct IpPayload {
  std::uint8_t family = 4;  // 4 or 6
  Address source, destination;
  std::uint8_t protocol = 0;  // of a fragment: what the datagram's fragmentable part begins with
  Octets octets;
  std::size_t full_length = 0;  // of the payload by the IP header; more than octets when the capture cut the packet
  std::optional<FragmentPlace> fragment;
};

// original_length: of the packet on the wire, the octets cut by the capture included; padding may follow the packet.
// Skips: not_ip, malformed_packet, cut (within the headers).
[[nodiscard]] Taken<IpPayload> parse_ip(Octets packet, std::size_t original_length);

// Passes over the IPv6 extension headers that a payload begins with; parse_ip has done so for a packet that is no
// fragment. Skips: malformed_packet, cut.
[[nodiscard]] Taken<void> pass_extensions(IpPayload& payload);

}  // namespace nslookout::capture
