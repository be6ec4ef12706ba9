// A TCP connection, with or without TLS, that is written in whole batches and whose end is noticed before the next one.
// Nothing waits longer than it is told to, and cancelling ends every wait within a tenth of a second.
// Errors: runtime, what went wrong in words. Thread rule: one thread; the flag may be set by another.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "sink/tls_context.h"

namespace nslookout::sink {

struct StreamPlace {
  std::string host;
  std::uint16_t port = 0;
  std::shared_ptr<TlsContext> tls = {};  // none: plain TCP
};

class Stream {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Stream>> connect(const StreamPlace& place,
                                                               std::chrono::milliseconds patience,
                                                               const std::atomic<bool>& cancelled);

  Stream(Fd fd, const std::atomic<bool>& cancelled) : fd_(std::move(fd)), cancelled_(cancelled) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  // All octets, or an error after which the connection is of no use.
  [[nodiscard]] Result<void> send(std::string_view octets, std::chrono::milliseconds patience);

  // The peer has closed its end, or broken the connection.
  [[nodiscard]] bool peer_gone();

  // Waits until the peer's system has acknowledged everything that was sent; whether it has.
  [[nodiscard]] bool wait_acknowledged(std::chrono::milliseconds patience);

 private:
  [[nodiscard]] Result<void> handshake(const StreamPlace& place, std::chrono::milliseconds patience);
  [[nodiscard]] Result<void> await_verdict(const StreamPlace& place);

  Fd fd_;
  Session session_;
  const std::atomic<bool>& cancelled_;
};

}  // namespace nslookout::sink
