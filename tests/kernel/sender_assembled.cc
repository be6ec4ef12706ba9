#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "control_messages.h"
#include "sender.h"
#include "wire.h"

namespace nslookout::kernel_test {

namespace {

// RFC 768: source and destination port, length, checksum; a zero checksum over IPv4 means "none".
std::string udp_header(std::uint16_t source, std::uint16_t destination, std::size_t octets) {
  return big_endian16(source) + big_endian16(destination) + big_endian16(static_cast<std::uint16_t>(8 + octets)) +
         big_endian16(0);
}

std::uint16_t ip_checksum(const std::string& header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < header.size(); i += 2) {
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(header[i]) << 8) |
           static_cast<unsigned char>(header[i + 1]);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// RFC 791, 20 octets, from and to the same address.
std::string ip_header(in_addr address, std::size_t octets) {
  std::string header = std::string("\x45\x00", 2) + big_endian16(static_cast<std::uint16_t>(20 + octets)) +
                       std::string("\x00\x01\x00\x00\x40\x11\x00\x00", 8);
  const std::string octets4(reinterpret_cast<const char*>(&address), 4);
  header += octets4 + octets4;
  return header.replace(10, 2, big_endian16(ip_checksum(header)));
}

Result<Fd> file_with(const std::string& content) {
  Fd file(::memfd_create("payload", MFD_CLOEXEC));
  if (!file.valid()) return fail_errno("memfd_create");
  if (auto written = check_sent(::write(file.get(), content.data(), content.size()), content.size(), "write");
      !written) {
    return fail(written.error());
  }
  return file;
}

// The payload stays pinned by the kernel until it says so on the error queue.
Result<void> await_zerocopy_completion(int fd) {
  std::array<char, 256> control{};
  msghdr message{};
  for (int tries = 0; tries < 1'000'000; ++tries) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(fd, &message, MSG_ERRQUEUE) >= 0) return {};
    if (errno != EAGAIN) return fail_errno("MSG_ERRQUEUE");
  }
  return fail(ErrorClass::runtime, "no completion of MSG_ZEROCOPY");
}

}  // namespace

SendFunction send_more_after(std::size_t first) {
  return [first](const SocketAddress& server, const Payloads& payloads) -> Result<void> {
    const auto fd = connect_socket(server, SOCK_DGRAM);
    if (!fd) return fail(fd.error());
    for (const auto& payload : payloads) {
      const auto head = std::min(first, payload.size());
      if (auto sent = check_sent(::send(fd->get(), payload.data(), head, MSG_MORE), head, "send(MSG_MORE)"); !sent) {
        return sent;
      }
      if (auto sent = send_on(fd->get(), payload.substr(head)); !sent) return sent;
    }
    return {};
  };
}

Result<void> send_corked_flushed_by_option(const SocketAddress& server, const Payloads& payloads) {
  const auto fd = connect_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  for (const auto& payload : payloads) {
    int cork = 1;
    if (::setsockopt(fd->get(), IPPROTO_UDP, UDP_CORK, &cork, sizeof(cork)) != 0) return fail_errno("UDP_CORK");
    const auto half = payload.size() / 2;
    if (auto sent = send_on(fd->get(), payload.substr(0, half)); !sent) return sent;
    if (auto sent = send_on(fd->get(), payload.substr(half)); !sent) return sent;
    cork = 0;
    if (::setsockopt(fd->get(), IPPROTO_UDP, UDP_CORK, &cork, sizeof(cork)) != 0) return fail_errno("UDP_CORK off");
  }
  return {};
}

Result<void> send_gso_by_option(const SocketAddress& server, const Payloads& payloads) {
  const auto fd = connect_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  const int size = static_cast<int>(payloads.front().size());
  if (::setsockopt(fd->get(), IPPROTO_UDP, udp_segment_option, &size, sizeof(size)) != 0) {
    return fail(ErrorClass::unsupported, "UDP_SEGMENT: {}", errno_text(errno));
  }
  return send_on(fd->get(), joined(payloads));
}

Result<void> send_gso_by_control_message(const SocketAddress& server, const Payloads& payloads) {
  const auto fd = open_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  const auto size = static_cast<std::uint16_t>(payloads.front().size());
  return ControlMessages().add_segment(size).send(fd->get(), &server, joined(payloads), "sendmsg(UDP_SEGMENT)");
}

Result<void> send_zerocopy(const SocketAddress& server, const Payloads& payloads) {
  const auto fd = connect_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  const int one = 1;
  if (::setsockopt(fd->get(), SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) != 0) {
    return fail(ErrorClass::unsupported, "SO_ZEROCOPY: {}", errno_text(errno));
  }
  for (const auto& payload : payloads) {
    const auto sent = ::send(fd->get(), payload.data(), payload.size(), MSG_ZEROCOPY);
    if (auto checked = check_sent(sent, payload.size(), "send(MSG_ZEROCOPY)"); !checked) return checked;
    if (auto done = await_zerocopy_completion(fd->get()); !done) return done;
  }
  return {};
}

Result<void> send_sendfile(const SocketAddress& server, const Payloads& payloads) {
  const auto fd = connect_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  for (const auto& payload : payloads) {
    const auto file = file_with(payload);
    if (!file) return fail(file.error());
    off_t offset = 0;
    const auto sent = ::sendfile(fd->get(), file->get(), &offset, payload.size());
    if (auto checked = check_sent(sent, payload.size(), "sendfile"); !checked) return checked;
  }
  return {};
}

Result<void> send_splice(const SocketAddress& server, const Payloads& payloads) {
  const auto fd = connect_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("pipe2");
  const Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  for (const auto& payload : payloads) {
    const auto piped = ::write(write_end.get(), payload.data(), payload.size());
    if (auto checked = check_sent(piped, payload.size(), "write to the pipe"); !checked) return checked;
    const auto sent = ::splice(read_end.get(), nullptr, fd->get(), nullptr, payload.size(), 0);
    if (auto checked = check_sent(sent, payload.size(), "splice"); !checked) return checked;
  }
  return {};
}

Result<void> send_raw_ip(const SocketAddress& server, const Payloads& payloads) {
  const Fd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!fd.valid()) return fail_errno("SOCK_RAW");
  for (const auto& payload : payloads) {
    const auto datagram = udp_header(40053, server.port(), payload.size()) + payload;
    if (auto sent = send_to_on(fd.get(), server, datagram); !sent) return sent;
  }
  return {};
}

Result<void> send_packet_socket(const SocketAddress& server, const Payloads& payloads) {
  const Fd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail(ErrorClass::unsupported, "AF_PACKET: {}", errno_text(errno));
  sockaddr_ll link{};
  link.sll_family = AF_PACKET;
  link.sll_protocol = htons(ETH_P_IP);
  link.sll_ifindex = static_cast<int>(::if_nametoindex("lo"));
  link.sll_halen = ETH_ALEN;
  for (const auto& payload : payloads) {
    const auto datagram = udp_header(40053, server.port(), payload.size()) + payload;
    const auto packet = ip_header(server.v4(), datagram.size()) + datagram;
    const auto sent =
        ::sendto(fd.get(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&link), sizeof(link));
    if (auto checked = check_sent(sent, packet.size(), "AF_PACKET sendto"); !checked) return checked;
  }
  return {};
}

}  // namespace nslookout::kernel_test
