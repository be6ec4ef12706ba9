#include "address.h"

#include <arpa/inet.h>

#include <cerrno>

namespace nslookout::kernel_test {

SocketAddress::SocketAddress(int family, const std::string& text, std::uint16_t port) {
  storage_.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET) {
    auto* address = reinterpret_cast<sockaddr_in*>(&storage_);
    inet_pton(AF_INET, text.c_str(), &address->sin_addr);
    address->sin_port = htons(port);
    length_ = sizeof(*address);
  } else {
    auto* address = reinterpret_cast<sockaddr_in6*>(&storage_);
    inet_pton(AF_INET6, text.c_str(), &address->sin6_addr);
    address->sin6_port = htons(port);
    length_ = sizeof(*address);
  }
}

std::uint16_t SocketAddress::port() const {
  return ntohs(family() == AF_INET ? reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port
                                   : reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
}

in_addr SocketAddress::v4() const { return reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr; }

SocketAddress server_address(AddressKind kind, std::uint16_t port) {
  switch (kind) {
    case AddressKind::v6:
      return {AF_INET6, "::1", port};
    case AddressKind::v4_mapped:
      return {AF_INET6, "::ffff:127.0.0.77", port};
    case AddressKind::v4:
      break;
  }
  return {AF_INET, "127.0.0.77", port};
}

tl::unexpected<Error> fail_errno(std::string_view what) {
  return fail(ErrorClass::runtime, "{}: {}", what, errno_text(errno));
}

Result<Fd> open_socket(const SocketAddress& address, int type) {
  Fd fd(::socket(address.family(), type | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail_errno("socket");
  return fd;
}

Result<Fd> bound_socket(const SocketAddress& address, int type) {
  auto fd = open_socket(address, type);
  if (!fd) return fd;
  const int one = 1;
  ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(fd->get(), address.get(), address.length()) != 0) return fail_errno("bind");
  return fd;
}

Result<Fd> listening_socket(const SocketAddress& address) {
  auto fd = bound_socket(address, SOCK_STREAM);
  if (fd && ::listen(fd->get(), 64) != 0) return fail_errno("listen");
  return fd;
}

Result<Fd> connect_socket(const SocketAddress& address, int type) {
  auto fd = open_socket(address, type);
  if (fd && ::connect(fd->get(), address.get(), address.length()) != 0) return fail_errno("connect");
  return fd;
}

}  // namespace nslookout::kernel_test
