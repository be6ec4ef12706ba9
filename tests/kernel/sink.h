// Where the tests' datagrams and byte streams arrive: a case that claims "sent" proves it here, octet for octet.
// No threads: the kernel queues what arrives, and the test reads it afterwards.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "address.h"

namespace nslookout::kernel_test {

class UdpSink {
 public:
  [[nodiscard]] static Result<UdpSink> open(const SocketAddress& address);

  // The datagrams queued, in order of arrival: waits for at least `expected` of them, but not longer than the bound.
  [[nodiscard]] std::vector<std::string> receive(std::size_t expected) const;

 private:
  explicit UdpSink(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

class TcpSink {
 public:
  [[nodiscard]] static Result<TcpSink> open(const SocketAddress& address);

  // Accepts one connection and reads it to its end.
  [[nodiscard]] Result<std::string> receive() const;

 private:
  explicit TcpSink(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// The bound of every wait in these tests; emulated machines are slow, and a passing test never waits this long.
inline constexpr std::chrono::milliseconds wait_bound{20'000};

// Whether fd became readable within the bound.
[[nodiscard]] bool wait_readable(int fd, std::chrono::milliseconds bound = wait_bound);

}  // namespace nslookout::kernel_test
