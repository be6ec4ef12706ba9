// Socket addresses of the tests' own servers, all on the loopback of the test's own network namespace.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace nslookout::kernel_test {

enum class AddressKind {
  v4,        // 127.0.0.77
  v6,        // ::1
  v4_mapped  // ::ffff:127.0.0.77, through an AF_INET6 socket
};

class SocketAddress {
 public:
  // text is what inet_pton reads for that family.
  SocketAddress(int family, const std::string& text, std::uint16_t port);

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t length() const { return length_; }
  [[nodiscard]] int family() const { return storage_.ss_family; }
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] in_addr v4() const;  // AF_INET only

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

[[nodiscard]] SocketAddress server_address(AddressKind kind, std::uint16_t port = 53);

// "what: text of errno", class runtime.
[[nodiscard]] tl::unexpected<Error> fail_errno(std::string_view what);

// An open socket of the address's family.
[[nodiscard]] Result<Fd> open_socket(const SocketAddress& address, int type);

// The same, bound to it, also where an earlier test had it.
[[nodiscard]] Result<Fd> bound_socket(const SocketAddress& address, int type);

// One of type SOCK_STREAM that takes connections.
[[nodiscard]] Result<Fd> listening_socket(const SocketAddress& address);

// An open socket, connected.
[[nodiscard]] Result<Fd> connect_socket(const SocketAddress& address, int type);

}  // namespace nslookout::kernel_test
