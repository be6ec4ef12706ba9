#include "sink.h"

#include <poll.h>

#include <array>

namespace nslookout::kernel_test {

bool wait_readable(int fd, std::chrono::milliseconds bound) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, static_cast<int>(bound.count())) == 1;
}

Result<UdpSink> UdpSink::open(const SocketAddress& address) {
  auto fd = bound_socket(address, SOCK_DGRAM | SOCK_NONBLOCK);
  if (!fd) return fail(fd.error());
  const int octets = 8 << 20;
  if (::setsockopt(fd->get(), SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof(octets)) != 0) return fail_errno("SO_RCVBUF");
  return UdpSink(std::move(*fd));
}

std::vector<std::string> UdpSink::receive(std::size_t expected) const {
  std::vector<std::string> datagrams;
  std::vector<char> buffer(1 << 16);
  while (datagrams.size() < expected ? wait_readable(fd_.get())
                                     : wait_readable(fd_.get(), std::chrono::milliseconds(0))) {
    const auto octets = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (octets >= 0) datagrams.emplace_back(buffer.data(), static_cast<std::size_t>(octets));
  }
  return datagrams;
}

Result<TcpSink> TcpSink::open(const SocketAddress& address) {
  auto fd = listening_socket(address);
  if (!fd) return fail(fd.error());
  return TcpSink(std::move(*fd));
}

Result<std::string> TcpSink::receive() const {
  if (!wait_readable(fd_.get())) return fail(ErrorClass::runtime, "no connection arrived");
  const Fd connection(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection.valid()) return fail_errno("accept");
  std::string octets;
  std::array<char, 4096> buffer{};
  while (wait_readable(connection.get())) {
    const auto got = ::read(connection.get(), buffer.data(), buffer.size());
    if (got < 0) return fail_errno("read");
    if (got == 0) return octets;
    octets.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return fail(ErrorClass::runtime, "the connection was not closed");
}

}  // namespace nslookout::kernel_test
