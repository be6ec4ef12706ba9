#include "capture/ip.h"

#include <algorithm>

namespace nslookout::capture {
namespace {

constexpr std::size_t ipv4_header = 20;
constexpr std::size_t ipv6_header = 40;
constexpr int max_extensions = 16;  // a bound on hostile chains; ordinary packets have three at most

// Numbers of https://www.iana.org/assignments/protocol-numbers.
enum Protocol : std::uint8_t {
  hop_by_hop = 0,
  routing = 43,
  fragment_header = 44,
  authentication = 51,
  destination_options = 60,
  mobility = 135,
  host_identity = 139,
  shim6 = 140,
};

Address address_at(Octets octets, std::size_t at, std::size_t length) {
  Address address;
  std::copy_n(octets.begin() + static_cast<std::ptrdiff_t>(at), length, address.octets.begin());
  return address;
}

// Within a packet that the capture cut, a header may be missing that was on the wire.
Skip too_short(const IpPayload& payload) {
  return payload.octets.size() < payload.full_length ? Skip::cut : Skip::malformed_packet;
}

void drop_front(IpPayload& payload, std::size_t length) {
  payload.octets = payload.octets.subspan(length);
  payload.full_length -= length;
}

Taken<IpPayload> parse_ipv4(Octets packet, std::size_t original_length) {
  if (packet.size() < ipv4_header) return skip(original_length < ipv4_header ? Skip::malformed_packet : Skip::cut);
  const std::size_t header = static_cast<std::size_t>(packet[0] & 0x0F) * 4;
  // Zero where the network card was to cut the packet into several (segmentation offload).
  const std::size_t stated = read16(packet, 2);
  const std::size_t total = stated == 0 ? original_length : stated;
  if (header < ipv4_header || total < header || total > original_length) return skip(Skip::malformed_packet);
  if (packet.size() < header) return skip(Skip::cut);

  IpPayload payload;
  payload.family = 4;
  payload.protocol = packet[9];
  payload.source = address_at(packet, 12, 4);
  payload.destination = address_at(packet, 16, 4);
  payload.octets = packet.subspan(header, std::min(total, packet.size()) - header);
  payload.full_length = total - header;
  const std::uint16_t flags = read16(packet, 6);
  const bool more = (flags & 0x2000) != 0;
  const std::size_t offset = static_cast<std::size_t>(flags & 0x1FFF) * 8;
  if (more || offset != 0) payload.fragment = FragmentPlace{read16(packet, 4), offset, more};
  return payload;
}

Taken<IpPayload> parse_ipv6(Octets packet, std::size_t original_length) {
  if (packet.size() < ipv6_header) return skip(original_length < ipv6_header ? Skip::malformed_packet : Skip::cut);
  const std::size_t stated = read16(packet, 4);
  const std::size_t total = stated == 0 ? original_length : ipv6_header + stated;
  if (total > original_length) return skip(Skip::malformed_packet);

  IpPayload payload;
  payload.family = 6;
  payload.protocol = packet[6];
  payload.source = address_at(packet, 8, 16);
  payload.destination = address_at(packet, 24, 16);
  payload.octets = packet.subspan(ipv6_header, std::min(total, packet.size()) - ipv6_header);
  payload.full_length = total - ipv6_header;
  if (const auto passed = pass_extensions(payload); !passed) return skip(passed.error());
  return payload;
}

// RFC 8200 section 4.5. A datagram in one "fragment" (RFC 6946) is no fragment.
Taken<void> pass_fragment_header(IpPayload& payload) {
  if (payload.octets.size() < 8) return skip(too_short(payload));
  const std::uint16_t place = read16(payload.octets, 2);
  const FragmentPlace fragment{read32(payload.octets, 4), static_cast<std::size_t>(place & 0xFFF8), (place & 1) != 0};
  payload.protocol = payload.octets[0];
  drop_front(payload, 8);
  if (fragment.more || fragment.offset != 0) payload.fragment = fragment;
  return {};
}

// Octets of an extension header that begins with its successor's number and its own length; 0 for what is none.
std::size_t extension_length(std::uint8_t protocol, Octets octets) {
  switch (protocol) {
    case hop_by_hop:
    case routing:
    case destination_options:
    case mobility:
    case host_identity:
    case shim6:
      return (static_cast<std::size_t>(octets[1]) + 1) * 8;
    case authentication:
      return (static_cast<std::size_t>(octets[1]) + 2) * 4;
    default:
      return 0;
  }
}

bool is_extension(std::uint8_t protocol) {
  constexpr std::array<std::uint8_t, 2> shortest{0, 0};
  return extension_length(protocol, shortest) != 0;
}

}  // namespace

Taken<IpPayload> parse_ip(Octets packet, std::size_t original_length) {
  if (packet.empty()) return skip(original_length == 0 ? Skip::malformed_packet : Skip::cut);
  switch (packet[0] >> 4) {
    case 4:
      return parse_ipv4(packet, original_length);
    case 6:
      return parse_ipv6(packet, original_length);
    default:
      return skip(Skip::not_ip);
  }
}

Taken<void> pass_extensions(IpPayload& payload) {
  for (int passed = 0; passed < max_extensions; ++passed) {
    if (payload.protocol == fragment_header) {
      if (auto fragment = pass_fragment_header(payload); !fragment) return fragment;
      if (payload.fragment) return {};
      continue;
    }
    if (!is_extension(payload.protocol)) return {};
    if (payload.octets.size() < 2) return skip(too_short(payload));
    const std::size_t length = extension_length(payload.protocol, payload.octets);
    if (length > payload.octets.size()) return skip(too_short(payload));
    payload.protocol = payload.octets[0];
    drop_front(payload, length);
  }
  return skip(Skip::malformed_packet);
}

}  // namespace nslookout::capture
