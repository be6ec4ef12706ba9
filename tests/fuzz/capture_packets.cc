// Packets of a capture, in every link type that is read: whole frames, and frames that are made around what the input says
// of UDP, TCP, fragments and extension headers, so that little of the input goes into getting past the first checks.
//
// Input: for each packet an octet with its kind, one with the link type, one with the length of its payload (in units of
// three octets), then fields of the kind and the payload.
#include <array>
#include <vector>

#include "dissected.h"
#include "octets.h"

namespace nslookout::fuzz {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::array<int, 12> link_types = {0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 105, -1};

// With room for headers before so many octets: growing costs more than all else here.
Bytes empty(std::size_t payload) {
  Bytes bytes;
  bytes.reserve(payload + 96);
  return bytes;
}

void append16(Bytes& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

void append32(Bytes& to, std::uint32_t value) {
  append16(to, value >> 16);
  append16(to, value & 0xFFFF);
}

void append(Bytes& to, std::string_view octets) { to.insert(to.end(), octets.begin(), octets.end()); }

std::uint32_t take32(Octets& octets) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | octets.octet();
  return value;
}

// Ports of which one is 53, mostly.
void append_ports(Bytes& to, std::uint8_t choice) {
  append16(to, (choice & 1) != 0 ? 53 : 40000 + (choice >> 6));
  append16(to, (choice & 2) != 0 ? 40000 : 53);
}

Bytes udp(Octets& octets, std::string_view payload) {
  Bytes datagram = empty(payload.size());
  const std::uint8_t choice = octets.octet();
  append_ports(datagram, choice);
  append16(datagram, (choice & 4) != 0 ? octets.octet() : payload.size() + 8);
  append16(datagram, 0);
  append(datagram, payload);
  return datagram;
}

Bytes tcp(Octets& octets, std::string_view payload) {
  Bytes segment = empty(payload.size());
  const std::uint8_t choice = octets.octet();
  append_ports(segment, choice);
  append32(segment, (choice & 4) != 0 ? take32(octets) : 0xFFFFFFF0U + octets.octet());
  append32(segment, 0);
  segment.push_back((choice & 8) != 0 ? octets.octet() : 0x50);
  segment.push_back(octets.octet());
  append32(segment, 0);
  append16(segment, 0);
  append(segment, payload);
  return segment;
}

Bytes ipv4(Octets& octets, std::uint8_t protocol, const Bytes& payload, bool fragment) {
  Bytes packet = empty(payload.size());
  append16(packet, 0x4500);
  const std::uint8_t choice = octets.octet();
  append16(packet, (choice & 1) != 0 ? octets.octet() : 20 + payload.size());
  append16(packet, choice >> 6);
  append16(packet, fragment ? static_cast<std::size_t>((octets.octet() << 8 & 0x2000) | octets.octet()) : 0);
  append(packet, std::string_view("\x40", 1));
  packet.push_back(protocol);
  append(packet, std::string_view("\0\0\x0A\0\0\1\x0A\0\0\x35", 10));
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

// With as many extension headers in front as the input says, each of eight octets.
Bytes ipv6(Octets& octets, std::uint8_t protocol, const Bytes& payload) {
  Bytes extensions = empty(0);
  constexpr std::array<std::uint8_t, 6> kinds = {0, 43, 44, 51, 60, 139};
  const unsigned count = octets.octet() % 4;
  std::uint8_t first = protocol;
  for (unsigned i = 0; i < count; ++i) {
    const std::uint8_t kind = kinds[octets.octet() % kinds.size()];
    (extensions.empty() ? first : extensions[extensions.size() - 8]) = kind;
    extensions.push_back(protocol);
    extensions.push_back(kind == 44 ? 0 : octets.octet() & 1);
    append16(extensions, kind == 44 ? static_cast<std::size_t>(octets.octet() << 8 | octets.octet()) : 0);
    append32(extensions, octets.octet() & 1U);
  }
  Bytes packet = empty(payload.size());
  append32(packet, 0x60000000);
  const std::uint8_t choice = octets.octet();
  append16(packet, (choice & 1) != 0 ? octets.octet() : extensions.size() + payload.size());
  packet.push_back(first);
  packet.push_back(64);
  for (int i = 0; i < 32; ++i) packet.push_back(static_cast<std::uint8_t>(i));
  packet.insert(packet.end(), extensions.begin(), extensions.end());
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

Bytes link_header(int link_type, bool version6) {
  Bytes header;
  switch (link_type) {
    case 1:
      header.resize(12);
      append16(header, version6 ? 0x86DD : 0x0800);
      break;
    case 113:
      header.resize(14);
      append16(header, version6 ? 0x86DD : 0x0800);
      break;
    case 276:
      append16(header, version6 ? 0x86DD : 0x0800);
      header.resize(20);
      break;
    case 0:
    case 108:
      append32(header, 2);
      break;
    default:
      break;
  }
  return header;
}

Bytes frame_of(Octets& octets, unsigned kind, int link_type, std::string_view payload) {
  Bytes frame;
  if (kind == 0) {
    append(frame, payload);
    return frame;
  }
  const bool version6 = kind >= 5;
  Bytes inner;
  std::uint8_t protocol = 17;
  if (kind == 1 || kind == 5) inner = udp(octets, payload);
  if (kind == 2 || kind == 6) {
    inner = tcp(octets, payload);
    protocol = 6;
  }
  if (kind == 3 || kind == 4) append(inner, payload);  // of a fragment, also of its first: the headers are the input's
  if (kind == 4) protocol = octets.octet();
  frame = link_header(link_type, version6);
  const Bytes packet = version6 ? ipv6(octets, protocol, inner) : ipv4(octets, protocol, inner, kind == 3);
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

void check(Octets octets) {
  capture::Dissector dissector({}, require_lookup, require_message);
  std::uint64_t packets = 0;
  while (!octets.empty()) {
    const std::uint8_t kind = octets.octet();
    const int link_type = link_types[octets.octet() % link_types.size()];
    const std::string_view payload = octets.take(std::size_t{3} * octets.octet());
    // a copy of its own, so that the sanitizer sees a read behind it
    const Bytes frame = frame_of(octets, kind % 7, link_type, payload);
    // longer on the wire, now and then by a great deal
    std::size_t original_length = frame.size();
    if ((kind & 0x80) != 0) original_length += octets.octet();
    if ((kind & 0x40) != 0) original_length += take32(octets);
    dissector.take({link_type, std::nullopt, frame, original_length});
    ++packets;
  }
  dissector.finish();
  require_counted(dissector.counts(), packets);
}

}  // namespace
}  // namespace nslookout::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  nslookout::fuzz::check({octets, size});
  return 0;
}
