#include "capture/link.h"

namespace nslookout::capture {
namespace {

enum LinkType : int {
  bsd_loopback = 0,
  ethernet = 1,
  raw_in_memory = 12,
  raw_in_memory_openbsd = 14,
  raw = 101,
  openbsd_loopback = 108,
  linux_cooked = 113,
  raw_ipv4 = 228,
  raw_ipv6 = 229,
  linux_cooked_v2 = 276,
};

constexpr std::uint16_t ethertype_ipv4 = 0x0800;
constexpr std::uint16_t ethertype_ipv6 = 0x86DD;
constexpr std::uint16_t ethertype_pppoe_session = 0x8864;
constexpr std::uint16_t largest_length_field = 1500;  // above, the field of IEEE 802.3 is an ethertype

constexpr std::uint16_t ppp_ipv4 = 0x0021;
constexpr std::uint16_t ppp_ipv6 = 0x0057;

bool is_vlan_tag(std::uint16_t ethertype) {
  return ethertype == 0x8100 || ethertype == 0x88A8 || ethertype == 0x9100 || ethertype == 0x9200;
}

// RFC 2516 section 4: six octets, then PPP's protocol.
Taken<Octets> behind_pppoe(Octets octets) {
  if (octets.size() < 8) return skip(Skip::malformed_packet);
  const std::uint16_t protocol = read16(octets, 6);
  if (protocol != ppp_ipv4 && protocol != ppp_ipv6) return skip(Skip::not_ip);
  return octets.subspan(8);
}

// IEEE 802.2 LLC with SNAP and the ethertypes of RFC 1042: aa aa 03 00 00 00, then the ethertype.
Taken<Octets> behind_snap(Octets octets) {
  if (octets.size() < 8) return skip(Skip::not_ip);
  const bool snap = read32(octets, 0) == 0xAAAA0300 && read16(octets, 4) == 0;
  const std::uint16_t ethertype = read16(octets, 6);
  if (!snap || (ethertype != ethertype_ipv4 && ethertype != ethertype_ipv6)) return skip(Skip::not_ip);
  return octets.subspan(8);
}

// octets follow the field that held ethertype.
Taken<Octets> behind_ethertype(std::uint16_t ethertype, Octets octets) {
  while (is_vlan_tag(ethertype)) {
    if (octets.size() < 4) return skip(Skip::malformed_packet);
    ethertype = read16(octets, 2);
    octets = octets.subspan(4);
  }
  if (ethertype == ethertype_ipv4 || ethertype == ethertype_ipv6) return octets;
  if (ethertype == ethertype_pppoe_session) return behind_pppoe(octets);
  if (ethertype <= largest_length_field) return behind_snap(octets);
  return skip(Skip::not_ip);
}

// header: octets of the link layer's header; its ethertype is at ethertype_at.
Taken<Octets> behind_header(Octets frame, std::size_t header, std::size_t ethertype_at) {
  if (frame.size() < header) return skip(Skip::malformed_packet);
  return behind_ethertype(read16(frame, ethertype_at), frame.subspan(header));
}

// Four octets with the address family of the system that captured, in its byte order (BSD) or in network order
// (OpenBSD). IPv6 has another number on each.
Taken<Octets> behind_loopback(Octets frame) {
  if (frame.size() < 4) return skip(Skip::malformed_packet);
  const std::uint32_t as_read = read32(frame, 0);
  const std::uint32_t family = as_read <= 0xFFFF ? as_read : __builtin_bswap32(as_read);
  const bool ip = family == 2 || family == 10 || family == 24 || family == 28 || family == 30;
  if (!ip) return skip(Skip::not_ip);
  return frame.subspan(4);
}

}  // namespace

bool is_link_type_read(int link_type) {
  switch (link_type) {
    case bsd_loopback:
    case ethernet:
    case raw_in_memory:
    case raw_in_memory_openbsd:
    case raw:
    case openbsd_loopback:
    case linux_cooked:
    case raw_ipv4:
    case raw_ipv6:
    case linux_cooked_v2:
      return true;
    default:
      return false;
  }
}

Taken<Octets> ip_packet_of(int link_type, Octets frame) {
  switch (link_type) {
    case ethernet:
      return behind_header(frame, 14, 12);
    case linux_cooked:
      return behind_header(frame, 16, 14);
    case linux_cooked_v2:
      return behind_header(frame, 20, 0);
    case bsd_loopback:
    case openbsd_loopback:
      return behind_loopback(frame);
    default:
      if (!is_link_type_read(link_type)) return skip(Skip::link_type);
      return frame;
  }
}

}  // namespace nslookout::capture
