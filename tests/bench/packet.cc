#include "packet.h"

#include "wire.h"

namespace nslookout::bench {

std::string udp_packet(std::uint16_t port, std::string_view payload) {
  using kernel_test::big_endian16;
  const auto udp_length = static_cast<std::uint16_t>(8 + payload.size());
  std::string packet(12, '\x02');      // both hardware addresses
  packet += big_endian16(0x0800);      // IPv4
  packet += std::string("\x45\0", 2);  // version and header length, type of service
  packet += big_endian16(static_cast<std::uint16_t>(20 + udp_length));
  packet += big_endian16(1) + big_endian16(0x4000);                               // id; not to be fragmented
  packet += std::string("\x40\x11", 2) + big_endian16(0);                         // time to live, UDP, no checksum
  packet += std::string("\xc0\0\x02\x01", 4) + std::string("\xc0\0\x02\x35", 4);  // 192.0.2.1 to 192.0.2.53
  packet += big_endian16(40000) + big_endian16(port) + big_endian16(udp_length) + big_endian16(0);
  return packet.append(payload);
}

}  // namespace nslookout::bench
