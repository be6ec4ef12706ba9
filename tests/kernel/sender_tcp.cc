#include <netinet/tcp.h>

#include "sender.h"
#include "wire.h"

namespace nslookout::kernel_test {

std::string with_length_prefix(const std::string& message) {
  return big_endian16(static_cast<std::uint16_t>(message.size())) + message;
}

std::string tcp_segment(std::uint16_t port, std::uint32_t sequence, const std::string& octets) {
  tcphdr header{};
  header.source = htons(40053);
  header.dest = htons(port);
  header.seq = htonl(sequence);
  header.doff = 5;
  header.ack = 1;
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + octets;
}

Result<void> send_stream(const SocketAddress& server, const Payloads& pieces) {
  const auto fd = connect_socket(server, SOCK_STREAM);
  if (!fd) return fail(fd.error());
  const int one = 1;
  if (::setsockopt(fd->get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0) return fail_errno("TCP_NODELAY");
  for (const auto& piece : pieces) {
    if (auto sent = send_on(fd->get(), piece); !sent) return sent;
  }
  return {};
}

}  // namespace nslookout::kernel_test
