// Packets and capture files made by hand, for the tests of capture/ and of the replay.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/dns_name.h"

namespace nslookout::capture {

using Bytes = std::vector<std::uint8_t>;

inline Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline Bytes big16(std::size_t value) {
  return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}
inline Bytes big32(std::uint32_t value) { return big16(value >> 16) + big16(value & 0xFFFF); }
inline Bytes little16(std::size_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8)};
}
inline Bytes little32(std::uint32_t value) { return little16(value & 0xFFFF) + little16(value >> 16); }

inline Bytes part(const Bytes& bytes, std::size_t from, std::size_t length = std::string::npos) {
  const std::size_t end = length > bytes.size() - from ? bytes.size() : from + length;
  return {bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.begin() + static_cast<std::ptrdiff_t>(end)};
}

inline Bytes wire_name(std::string_view name) {
  const std::string wire = presentation_to_wire(name).value();
  return {wire.begin(), wire.end()};
}

inline Bytes question(std::string_view name, std::uint16_t type = 1) {
  return wire_name(name) + big16(type) + big16(1);
}

// flags 0x0100: a query that asks for recursion.
inline Bytes message(const Bytes& questions, std::size_t count = 1, std::uint16_t flags = 0x0100) {
  return big16(0x1234) + big16(flags) + big16(count) + Bytes(6, 0) + questions;
}
inline Bytes query(std::string_view name, std::uint16_t type = 1) { return message(question(name, type)); }

inline Bytes udp(const Bytes& payload, std::uint16_t to = 53, std::uint16_t from = 40000) {
  return big16(from) + big16(to) + big16(payload.size() + 8) + big16(0) + payload;
}

constexpr std::uint8_t tcp_syn = 0x02;
constexpr std::uint8_t tcp_ack = 0x10;

inline Bytes tcp(std::uint32_t sequence, const Bytes& payload, std::uint8_t flags = tcp_ack, std::uint16_t to = 53,
                 std::uint16_t from = 40000) {
  return big16(from) + big16(to) + big32(sequence) + big32(0) + Bytes{0x50, flags} + big16(1000) + big32(0) + payload;
}

// Behind the length prefix of a stream.
inline Bytes in_stream(const Bytes& dns) { return big16(dns.size()) + dns; }

constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;

struct Ipv4Shape {
  std::uint8_t protocol = protocol_udp;
  Bytes options = {};
  std::uint16_t id = 7;
  std::size_t fragment_offset = 0;  // octets
  bool more_fragments = false;
  bool from_server = false;
};

// From 10.0.0.1 to 10.0.0.53, or back.
inline Bytes ipv4(const Bytes& payload, const Ipv4Shape& shape = {}) {
  const std::size_t header = 20 + shape.options.size();
  const std::size_t place = (shape.more_fragments ? 0x2000u : 0u) | shape.fragment_offset / 8;
  const Bytes client = {10, 0, 0, 1};
  const Bytes server = {10, 0, 0, 53};
  return Bytes{static_cast<std::uint8_t>(0x40 | header / 4), 0} + big16(header + payload.size()) + big16(shape.id) +
         big16(place) + Bytes{64, shape.protocol, 0, 0} + (shape.from_server ? server + client : client + server) +
         shape.options + payload;
}

// From 2001:db8::1 to 2001:db8::53; payload begins with the first extension header.
inline Bytes ipv6(const Bytes& payload, std::uint8_t next_header = protocol_udp) {
  const Bytes network = Bytes{0x20, 0x01, 0x0D, 0xB8} + Bytes(11, 0);
  return Bytes{0x60, 0, 0, 0} + big16(payload.size()) + Bytes{next_header, 64} + network + Bytes{0x01} + network +
         Bytes{0x53} + payload;
}

inline Bytes ipv6_fragment(std::uint8_t next_header, std::size_t offset, bool more, const Bytes& payload) {
  return ipv6(Bytes{next_header, 0} + big16(offset | (more ? 1 : 0)) + big32(99) + payload, 44);
}

inline Bytes ethernet(const Bytes& payload, std::uint16_t ethertype = 0x0800) {
  return Bytes(12, 2) + big16(ethertype) + payload;
}

// ---- files --------------------------------------------------------------------------------------------------------

// A pcap file with microseconds, little endian.
inline Bytes pcap_header(std::uint32_t link_type = 1, std::uint32_t magic = 0xA1B2C3D4) {
  return little32(magic) + little16(2) + little16(4) + little32(0) + little32(0) + little32(65535) +
         little32(link_type);
}
inline Bytes pcap_packet(const Bytes& frame, std::uint32_t seconds = 1700000000, std::uint32_t fraction = 5) {
  const auto length = static_cast<std::uint32_t>(frame.size());
  return little32(seconds) + little32(fraction) + little32(length) + little32(length) + frame;
}

// A block of a pcapng file, little endian.
inline Bytes pcapng_block(std::uint32_t type, Bytes body) {
  body.resize((body.size() + 3) / 4 * 4);
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  return little32(type) + little32(length) + body + little32(length);
}
inline Bytes pcapng_section() {
  return pcapng_block(0x0A0D0D0A, little32(0x1A2B3C4D) + little16(1) + little16(0) + Bytes(8, 0xFF));
}
inline Bytes pcapng_interface(std::uint16_t link_type, const Bytes& options = {}) {
  return pcapng_block(1, little16(link_type) + little16(0) + little32(0) + options);
}
inline Bytes pcapng_packet(std::uint32_t interface, std::uint64_t time, const Bytes& frame) {
  const auto length = static_cast<std::uint32_t>(frame.size());
  return pcapng_block(6, little32(interface) + little32(static_cast<std::uint32_t>(time >> 32)) +
                             little32(static_cast<std::uint32_t>(time)) + little32(length) + little32(length) + frame);
}
inline Bytes pcapng_simple_packet(const Bytes& frame) {
  return pcapng_block(3, little32(static_cast<std::uint32_t>(frame.size())) + frame);
}

}  // namespace nslookout::capture
