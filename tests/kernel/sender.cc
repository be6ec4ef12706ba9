#include "sender.h"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

namespace nslookout::kernel_test {

namespace {

iovec slice(const std::string& payload, std::size_t from, std::size_t to) {
  return {.iov_base = const_cast<char*>(payload.data()) + from, .iov_len = to - from};
}

std::vector<iovec> cut(const std::string& payload, const std::vector<std::size_t>& offsets) {
  std::vector<iovec> parts;
  std::size_t from = 0;
  for (const auto offset : offsets) {
    const auto to = std::min(offset, payload.size());
    parts.push_back(slice(payload, from, to));
    from = to;
  }
  parts.push_back(slice(payload, from, payload.size()));
  return parts;
}

msghdr message_to(const SocketAddress& server, std::vector<iovec>& parts) {
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(server.get());
  message.msg_namelen = server.length();
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return message;
}

Result<void> send_parts(int fd, const SocketAddress& server, std::vector<iovec> parts, std::size_t octets) {
  const auto message = message_to(server, parts);
  return check_sent(::sendmsg(fd, &message, 0), octets, "sendmsg");
}

// Opens one unconnected socket and calls send for each payload.
template <typename Send>
Result<void> each_unconnected(const SocketAddress& server, const Payloads& payloads, const Send& send) {
  const auto fd = open_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  for (const auto& payload : payloads) {
    if (auto sent = send(fd->get(), payload); !sent) return sent;
  }
  return {};
}

template <typename Send>
Result<void> each_connected(const SocketAddress& server, const Payloads& payloads, const Send& send) {
  const auto fd = connect_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  for (const auto& payload : payloads) {
    if (auto sent = send(fd->get(), payload); !sent) return sent;
  }
  return {};
}

}  // namespace

Result<void> check_sent(ssize_t sent, std::size_t expected, std::string_view how) {
  if (sent < 0) return fail_errno(how);
  if (static_cast<std::size_t>(sent) == expected) return {};
  return fail(ErrorClass::runtime, "{}: {} octets of {} were taken", how, sent, expected);
}

Result<void> send_on(int connected_fd, const std::string& payload) {
  return check_sent(::send(connected_fd, payload.data(), payload.size(), 0), payload.size(), "send");
}

Result<void> send_to_on(int fd, const SocketAddress& server, const std::string& payload) {
  return check_sent(::sendto(fd, payload.data(), payload.size(), 0, server.get(), server.length()), payload.size(),
                    "sendto");
}

std::string joined(const Payloads& payloads) {
  std::string all;
  for (const auto& payload : payloads) all += payload;
  return all;
}

Result<void> send_sendto(const SocketAddress& server, const Payloads& payloads) {
  return each_unconnected(server, payloads,
                          [&](int fd, const std::string& payload) { return send_to_on(fd, server, payload); });
}

Result<void> send_connected_send(const SocketAddress& server, const Payloads& payloads) {
  return each_connected(server, payloads, send_on);
}

Result<void> send_connected_write(const SocketAddress& server, const Payloads& payloads) {
  return each_connected(server, payloads, [](int fd, const std::string& payload) {
    return check_sent(::write(fd, payload.data(), payload.size()), payload.size(), "write");
  });
}

Result<void> send_connected_writev(const SocketAddress& server, const Payloads& payloads) {
  return each_connected(server, payloads, [](int fd, const std::string& payload) {
    const auto parts = cut(payload, {12});
    return check_sent(::writev(fd, parts.data(), static_cast<int>(parts.size())), payload.size(), "writev");
  });
}

Result<void> send_sendmsg(const SocketAddress& server, const Payloads& payloads) {
  return send_sendmsg_cut_at({})(server, payloads);
}

SendFunction send_sendmsg_cut_at(std::vector<std::size_t> offsets) {
  return [offsets = std::move(offsets)](const SocketAddress& server, const Payloads& payloads) {
    return each_unconnected(server, payloads, [&](int fd, const std::string& payload) {
      return send_parts(fd, server, cut(payload, offsets), payload.size());
    });
  };
}

Result<void> send_sendmsg_octet_each(const SocketAddress& server, const Payloads& payloads) {
  return each_unconnected(server, payloads, [&](int fd, const std::string& payload) {
    std::vector<iovec> parts;
    for (std::size_t at = 0; at < payload.size(); ++at) parts.push_back(slice(payload, at, at + 1));
    return send_parts(fd, server, std::move(parts), payload.size());
  });
}

Result<void> send_sendmmsg(const SocketAddress& server, const Payloads& payloads) {
  const auto fd = open_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  std::vector<std::vector<iovec>> parts;
  for (const auto& payload : payloads) parts.push_back({slice(payload, 0, payload.size())});
  std::vector<mmsghdr> messages(payloads.size());
  for (std::size_t i = 0; i < payloads.size(); ++i) messages[i].msg_hdr = message_to(server, parts[i]);
  const auto sent = ::sendmmsg(fd->get(), messages.data(), static_cast<unsigned>(messages.size()), 0);
  return check_sent(sent, payloads.size(), "sendmmsg");
}

Result<void> send_dual_stack(const SocketAddress& server, const Payloads& payloads) {
  const SocketAddress other(AF_INET6, "::1", server.port());
  std::size_t index = 0;
  return each_unconnected(server, payloads, [&](int fd, const std::string& payload) {
    return send_to_on(fd, index++ % 2 == 0 ? server : other, payload);
  });
}

}  // namespace nslookout::kernel_test
