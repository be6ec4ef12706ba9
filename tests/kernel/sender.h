// The ways of sending a DNS message, one function each. All are called in a child process; each sends every payload to
// the server exactly once, checks that the kernel took all of it, and returns. Class unsupported: this kernel lacks the
// interface.
//
// sender.cc has the plain socket calls, sender_assembled.cc what puts a datagram together from parts (MSG_MORE, cork,
// GSO, pages, raw sockets), sender_misleading.cc sends that do not go where, or are not cut as, they look at first,
// sender_headers.cc what stands behind more headers than usual, sender_io_uring.cc io_uring, sender_tcp.cc byte streams.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "address.h"

namespace nslookout::kernel_test {

using Payloads = std::vector<std::string>;
using SendFunction = std::function<Result<void>(const SocketAddress&, const Payloads&)>;

// Fails unless exactly `expected` octets were taken.
[[nodiscard]] Result<void> check_sent(ssize_t sent, std::size_t expected, std::string_view how);

[[nodiscard]] Result<void> send_on(int connected_fd, const std::string& payload);
[[nodiscard]] Result<void> send_to_on(int fd, const SocketAddress& server, const std::string& payload);
[[nodiscard]] std::string joined(const Payloads& payloads);
inline constexpr int msg_probe = 0x10;          // MSG_PROBE of the kernel's own linux/socket.h: send nothing
inline constexpr int udp_segment_option = 103;  // UDP_SEGMENT of linux/udp.h, which does not go with netinet/udp.h

// ---- plain socket calls
[[nodiscard]] Result<void> send_sendto(const SocketAddress& server, const Payloads& payloads);
[[nodiscard]] Result<void> send_connected_send(const SocketAddress& server, const Payloads& payloads);
[[nodiscard]] Result<void> send_connected_write(const SocketAddress& server, const Payloads& payloads);
[[nodiscard]] Result<void> send_connected_writev(const SocketAddress& server, const Payloads& payloads);
[[nodiscard]] Result<void> send_sendmsg(const SocketAddress& server, const Payloads& payloads);
// Cuts every payload at these offsets; two equal offsets (or 0) make an empty iovec.
[[nodiscard]] SendFunction send_sendmsg_cut_at(std::vector<std::size_t> offsets);
[[nodiscard]] Result<void> send_sendmsg_octet_each(const SocketAddress& server, const Payloads& payloads);
[[nodiscard]] Result<void> send_sendmmsg(const SocketAddress& server, const Payloads& payloads);
// All payloads by one AF_INET6 socket: alternately to the server as given and to ::1 with the same port.
[[nodiscard]] Result<void> send_dual_stack(const SocketAddress& server, const Payloads& payloads);

// ---- datagrams assembled from parts
// The first `first` octets with MSG_MORE, then the rest.
[[nodiscard]] SendFunction send_more_after(std::size_t first);
[[nodiscard]] Result<void> send_corked_flushed_by_option(const SocketAddress& server, const Payloads& payloads);
// All payloads (of one size, the last may be shorter) in one call.
[[nodiscard]] Result<void> send_gso_by_option(const SocketAddress& server, const Payloads& payloads);
[[nodiscard]] Result<void> send_gso_by_control_message(const SocketAddress& server, const Payloads& payloads);
[[nodiscard]] Result<void> send_zerocopy(const SocketAddress& server, const Payloads& payloads);
[[nodiscard]] Result<void> send_sendfile(const SocketAddress& server, const Payloads& payloads);
[[nodiscard]] Result<void> send_splice(const SocketAddress& server, const Payloads& payloads);
// IPv4 alone: the program writes the UDP header itself.
[[nodiscard]] Result<void> send_raw_ip(const SocketAddress& server, const Payloads& payloads);
// The same, of which the first three octets are handed over with MSG_MORE.
[[nodiscard]] Result<void> send_raw_ip_in_two_parts(const SocketAddress& server, const Payloads& payloads);
// IPv6 alone, to ::1: the program writes all headers itself, with so many of destination options.
[[nodiscard]] SendFunction send_raw_ipv6_behind(std::size_t headers);
// IPv6 alone: a UDP socket with 2,040 octets of destination options.
[[nodiscard]] Result<void> send_behind_long_options(const SocketAddress& server, const Payloads& payloads);
// IPv4 alone: the program writes IP and UDP headers itself and hands the frame to the loopback device.
[[nodiscard]] Result<void> send_packet_socket(const SocketAddress& server, const Payloads& payloads);

// ---- sends that do not go where, or are not cut as, they look at first
// Connected, and each send names an address without a family: an IPv6 socket takes that for no name, an IPv4 socket for
// the server's.
[[nodiscard]] Result<void> send_to_unspecified_family(const SocketAddress& server, const Payloads& payloads);
// The first octets go to the server by name with MSG_MORE, then (between) something else happens, then the rest.
enum class Rest {
  nameless,           // nobody says where it goes: where the beginning goes
  named_elsewhere,    // the discard port is named: the kernel does not look
  after_failed_send,  // octets that the kernel refuses, and that are no part of the datagram
  after_probe,        // octets that the kernel is to look at only (MSG_PROBE)
  after_many_others,  // more sockets than are remembered send octets that are no query, and stay open
  after_many_begun,   // the same, and each of their datagrams is begun and not sent
};
[[nodiscard]] SendFunction send_named_then(Rest rest);
// UDP_SEGMENT as an option, of size octets (0: of one payload), and all payloads joined: in two pieces, cut at an offset.
[[nodiscard]] SendFunction send_gso_in_pieces(int size, std::size_t cut);
// All payloads in one call, cut by the last UDP_SEGMENT among the control messages. What stands before it:
enum class Control { four_tos, larger_segment, many_ignored };
[[nodiscard]] SendFunction send_gso_behind(Control before);

// ---- io_uring
enum class RingMode {
  plain,          // tried inline, in the submitting thread
  forced_async,   // IOSQE_ASYNC: a worker thread sends
  kernel_polled,  // IORING_SETUP_SQPOLL: the kernel's polling thread sends
};
[[nodiscard]] SendFunction send_io_uring_send(RingMode mode);
[[nodiscard]] SendFunction send_io_uring_sendmsg(RingMode mode);

// ---- byte streams
// One connection, TCP_NODELAY, one write per payload: the payloads are pieces of the stream.
[[nodiscard]] Result<void> send_stream(const SocketAddress& server, const Payloads& pieces);
// The message after its two-octet length (RFC 1035 section 4.2.2).
[[nodiscard]] std::string with_length_prefix(const std::string& message);
// What a raw socket of IPPROTO_TCP sends: a header from port 40053 (RFC 9293 section 3.1), and octets of the stream.
[[nodiscard]] std::string tcp_segment(std::uint16_t port, std::uint32_t sequence, const std::string& octets);

}  // namespace nslookout::kernel_test
