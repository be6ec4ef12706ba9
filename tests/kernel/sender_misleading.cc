#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "control_messages.h"
#include "sender.h"

namespace nslookout::kernel_test {

namespace {

constexpr std::size_t beginning = 20;      // octets of a query: to the middle of a label
constexpr std::size_t many = 1100;         // more sockets than the sensor remembers beginnings of
constexpr std::size_t many_ignored = 600;  // control messages; their memory has a limit (net.core.optmem_max)
constexpr int ignored_level = 200;         // of a control message that no protocol knows

SocketAddress with_port(const SocketAddress& server, std::uint16_t port) {
  SocketAddress other = server;
  auto* name = const_cast<sockaddr*>(other.get());
  reinterpret_cast<sockaddr_in*>(name)->sin_port = htons(port);  // the port is in the same place in both families
  return other;
}

// The kernel refuses these octets without an end to the datagram that is begun: IPv4 knows no urgent datagrams, and the
// beginning that goes to an IPv6 address does not go on to an IPv4 one.
Result<void> send_refused(int fd, const SocketAddress& server) {
  const std::string octets(10, 'x');
  const SocketAddress v4(AF_INET, "127.0.0.77", 53);
  const bool is_v4 = server.family() == AF_INET;
  const auto sent = ::sendto(fd, octets.data(), octets.size(), MSG_MORE | (is_v4 ? MSG_OOB : 0), v4.get(), v4.length());
  if (sent >= 0) return fail(ErrorClass::runtime, "the kernel took what it should refuse");
  return {};
}

// Octets that are no query, to another server, each by a socket of its own. All stay open: else their addresses in the
// kernel would be used again.
Result<std::vector<Fd>> send_by_many_others(std::size_t count, int flags) {
  const rlimit files{.rlim_cur = count + 100, .rlim_max = count + 100};
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) return fail_errno("setrlimit");
  const SocketAddress other(AF_INET, "127.0.0.78", 53);
  std::vector<Fd> sockets;
  for (std::size_t i = 0; i < count; ++i) {
    auto fd = open_socket(other, SOCK_DGRAM);
    if (!fd) return fail(fd.error());
    const std::string octets = "no query";
    const auto sent = ::sendto(fd->get(), octets.data(), octets.size(), flags, other.get(), other.length());
    if (auto checked = check_sent(sent, octets.size(), "sendto"); !checked) return fail(checked.error());
    sockets.push_back(std::move(*fd));
  }
  return sockets;
}

Result<void> send_one_named_then(int fd, const SocketAddress& server, const std::string& payload, Rest rest) {
  const auto sent = ::sendto(fd, payload.data(), beginning, MSG_MORE, server.get(), server.length());
  if (auto checked = check_sent(sent, beginning, "sendto(MSG_MORE)"); !checked) return checked;
  const auto end = payload.substr(beginning);
  if (rest == Rest::named_elsewhere) return send_to_on(fd, with_port(server, 9), end);
  if (rest == Rest::after_failed_send) {
    if (auto refused = send_refused(fd, server); !refused) return refused;
  }
  if (rest == Rest::after_probe) {
    const auto probed = ::send(fd, payload.data(), beginning, MSG_MORE | msg_probe);
    if (auto checked = check_sent(probed, beginning, "send(MSG_PROBE)"); !checked) return checked;
  }
  if (rest == Rest::after_many_others || rest == Rest::after_many_begun) {
    const auto others = send_by_many_others(many, rest == Rest::after_many_begun ? MSG_MORE : 0);
    if (!others) return fail(others.error());
    return send_on(fd, end);  // while they are open
  }
  return send_on(fd, end);
}

ControlMessages controls_of(Control before, std::uint16_t size) {
  ControlMessages controls;
  switch (before) {
    case Control::four_tos:
      for (int i = 0; i < 4; ++i) controls.add_int(IPPROTO_IP, IP_TOS, 0x10);
      break;
    case Control::larger_segment:
      controls.add_segment(60'000);
      break;
    case Control::many_ignored:
      for (std::size_t i = 0; i < many_ignored; ++i) controls.add(ignored_level, 0, {});
      break;
  }
  controls.add_segment(size);
  return controls;
}

}  // namespace

Result<void> send_to_unspecified_family(const SocketAddress& server, const Payloads& payloads) {
  const auto fd = connect_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  SocketAddress name = server;
  const_cast<sockaddr*>(name.get())->sa_family = AF_UNSPEC;
  for (const auto& payload : payloads) {
    if (auto sent = send_to_on(fd->get(), name, payload); !sent) return sent;
  }
  return {};
}

SendFunction send_named_then(Rest rest) {
  return [rest](const SocketAddress& server, const Payloads& payloads) -> Result<void> {
    const auto fd = open_socket(server, SOCK_DGRAM);
    if (!fd) return fail(fd.error());
    for (const auto& payload : payloads) {
      if (auto sent = send_one_named_then(fd->get(), server, payload, rest); !sent) return sent;
    }
    return {};
  };
}

SendFunction send_gso_in_pieces(int size, std::size_t cut) {
  return [size, cut](const SocketAddress& server, const Payloads& payloads) -> Result<void> {
    const auto fd = connect_socket(server, SOCK_DGRAM);
    if (!fd) return fail(fd.error());
    const int step = size == 0 ? static_cast<int>(payloads.front().size()) : size;
    if (::setsockopt(fd->get(), IPPROTO_UDP, udp_segment_option, &step, sizeof(step)) != 0) {
      return fail(ErrorClass::unsupported, "UDP_SEGMENT: {}", errno_text(errno));
    }
    const auto all = joined(payloads);
    const auto head = std::min(cut, all.size());
    if (auto sent = check_sent(::send(fd->get(), all.data(), head, MSG_MORE), head, "send(MSG_MORE)"); !sent) {
      return sent;
    }
    return send_on(fd->get(), all.substr(head));
  };
}

SendFunction send_gso_behind(Control before) {
  return [before](const SocketAddress& server, const Payloads& payloads) -> Result<void> {
    const auto fd = open_socket(server, SOCK_DGRAM);
    if (!fd) return fail(fd.error());
    auto controls = controls_of(before, static_cast<std::uint16_t>(payloads.front().size()));
    return controls.send(fd->get(), &server, joined(payloads), "sendmsg(UDP_SEGMENT)");
  };
}

}  // namespace nslookout::kernel_test
