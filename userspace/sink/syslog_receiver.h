// RFC 5424 messages over UDP (RFC 5426), TCP with octet counting (RFC 6587 section 3.4.1) or TLS (RFC 5425). See
// receiver.h for the contract.
//
// What "delivered" can mean: over TCP and TLS, that the receiver's system has acknowledged the octets and the connection
// stood afterwards; a receiver that dies before it has read them loses them, and a batch whose connection breaks is sent
// again, so that some of it may arrive twice. Over UDP, that nothing has refused the datagram.
// Thread rule: see receiver.h.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/fd.h"
#include "sink/receiver.h"
#include "sink/spec.h"
#include "sink/stream.h"

namespace nslookout::sink {

class SyslogReceiver : public Receiver {
 public:
  // Errors: runtime (certificates). It connects when there is something to send.
  [[nodiscard]] static Result<std::unique_ptr<Receiver>> open(const Spec& spec);

  explicit SyslogReceiver(const Spec& spec);

  [[nodiscard]] Result<std::string> encode(const event::Event& event) const override;
  [[nodiscard]] Delivery deliver(std::span<const std::string> records) override;
  [[nodiscard]] BatchLimits limits() const override;
  void cancel() override { cancelled_ = true; }

 private:
  [[nodiscard]] Delivery deliver_datagrams(std::span<const std::string> records);
  [[nodiscard]] Result<void> connect_datagrams();
  [[nodiscard]] Result<void> connect_stream();
  [[nodiscard]] Result<void> send_stream(std::span<const std::string> records);

  Spec spec_;
  std::string host_name_;
  StreamPlace place_;
  std::atomic<bool> cancelled_ = false;
  Fd datagrams_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace nslookout::sink
