// Datagrams behind more headers than usual: IPv6 extension headers (RFC 8200 section 4), and a UDP header in two parts.
#include <netinet/ip6.h>

#include <array>
#include <cstring>

#include "sender.h"
#include "wire.h"

namespace nslookout::kernel_test {

namespace {

constexpr std::uint16_t source_port = 40053;

std::string octets_of(const in6_addr& address) { return {reinterpret_cast<const char*>(&address), sizeof address}; }

// RFC 8200 section 8.1: over a pseudo header too, and never zero.
std::uint16_t udp6_checksum(const std::string& addresses, const std::string& datagram) {
  const std::string summed = addresses + big_endian16(0) + big_endian16(static_cast<std::uint16_t>(datagram.size())) +
                             big_endian16(0) + big_endian16(IPPROTO_UDP) + datagram +
                             std::string(datagram.size() % 2, '\0');
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < summed.size(); i += 2) {
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(summed[i]) << 8) |
           static_cast<unsigned char>(summed[i + 1]);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  const auto checksum = static_cast<std::uint16_t>(~sum);
  return checksum != 0 ? checksum : 0xffff;
}

std::string udp6_datagram(const std::string& addresses, std::uint16_t port, const std::string& payload) {
  std::string datagram = big_endian16(source_port) + big_endian16(port) +
                         big_endian16(static_cast<std::uint16_t>(8 + payload.size())) + big_endian16(0) + payload;
  return datagram.replace(6, 2, big_endian16(udp6_checksum(addresses, datagram)));
}

}  // namespace

SendFunction send_raw_ipv6_behind(std::size_t headers) {
  return [headers](const SocketAddress& server, const Payloads& payloads) -> Result<void> {
    const Fd fd(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    if (!fd.valid()) return fail_errno("SOCK_RAW");
    const auto address = octets_of(reinterpret_cast<const sockaddr_in6*>(server.get())->sin6_addr);
    const SocketAddress no_port(AF_INET6, "::1", 0);
    for (const auto& payload : payloads) {
      std::string packet;
      for (std::size_t i = 0; i < headers; ++i) {
        const bool last = i + 1 == headers;
        packet += static_cast<char>(last ? int{IPPROTO_UDP} : int{IPPROTO_DSTOPTS});
        packet += std::string("\x00\x01\x04\x00\x00\x00\x00", 7);  // eight octets of which six are padding
      }
      packet += udp6_datagram(address + address, server.port(), payload);
      ip6_hdr header{};
      header.ip6_ctlun.ip6_un1.ip6_un1_flow = htonl(6U << 28);
      header.ip6_ctlun.ip6_un1.ip6_un1_plen = htons(static_cast<std::uint16_t>(packet.size()));
      header.ip6_ctlun.ip6_un1.ip6_un1_nxt = headers == 0 ? std::uint8_t{IPPROTO_UDP} : std::uint8_t{IPPROTO_DSTOPTS};
      header.ip6_ctlun.ip6_un1.ip6_un1_hlim = 64;
      std::memcpy(&header.ip6_src, address.data(), address.size());
      std::memcpy(&header.ip6_dst, address.data(), address.size());
      const std::string head(reinterpret_cast<const char*>(&header), sizeof header);
      if (auto sent = send_to_on(fd.get(), no_port, head + packet); !sent) return sent;
    }
    return {};
  };
}

Result<void> send_behind_long_options(const SocketAddress& server, const Payloads& payloads) {
  const auto fd = open_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  // 2,040 octets, the most that is taken: eight options (as many as Linux takes) of an experimental type that is skipped by
  // who does not know it
  std::string options = std::string("\x00\xfe", 2);
  for (int i = 0; i < 8; ++i) {
    const std::size_t length = i < 7 ? 255 : 237;
    options += '\x1e';
    options += static_cast<char>(length);
    options += std::string(length, '\0');
  }
  if (::setsockopt(fd->get(), IPPROTO_IPV6, IPV6_DSTOPTS, options.data(), static_cast<socklen_t>(options.size())) !=
      0) {
    return fail_errno("IPV6_DSTOPTS");
  }
  for (const auto& payload : payloads) {
    if (auto sent = send_to_on(fd->get(), server, payload); !sent) return sent;
  }
  return {};
}

Result<void> send_raw_ip_in_two_parts(const SocketAddress& server, const Payloads& payloads) {
  const Fd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!fd.valid()) return fail_errno("SOCK_RAW");
  for (const auto& payload : payloads) {
    const auto datagram = big_endian16(source_port) + big_endian16(server.port()) +
                          big_endian16(static_cast<std::uint16_t>(8 + payload.size())) + big_endian16(0) + payload;
    const auto first = ::sendto(fd.get(), datagram.data(), 3, MSG_MORE, server.get(), server.length());
    if (auto sent = check_sent(first, 3, "sendto(MSG_MORE)"); !sent) return sent;
    if (auto sent = send_to_on(fd.get(), server, datagram.substr(3)); !sent) return sent;
  }
  return {};
}

}  // namespace nslookout::kernel_test
