// Records to whoever listens on a Unix stream socket. See receiver.h for the contract.
//
// Invariant: a connection carries whole records until its end; a cut record is the last thing on it, and is sent again
// on a new connection.
// Thread rule: see receiver.h.
#pragma once

#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "sink/receiver.h"
#include "sink/spec.h"

namespace nslookout::sink {

class SocketReceiver : public Receiver {
 public:
  // Connects. Errors: runtime, one sentence.
  [[nodiscard]] static Result<std::unique_ptr<Receiver>> open(const Spec& spec);

  explicit SocketReceiver(const Spec& spec) : path_(spec.path), encoding_(spec.encoding), format_(spec.format) {}

  [[nodiscard]] Result<std::string> encode(const event::Event& event) const override;
  [[nodiscard]] Delivery deliver(std::span<const std::string> records) override;
  [[nodiscard]] BatchLimits limits() const override { return {.records = 64}; }

 private:
  [[nodiscard]] Result<void> connect();
  // Connects anew where the reader has gone: a restarted reader costs no event that was not already in its queue.
  [[nodiscard]] Result<void> write(const std::string& record);

  std::string path_;
  Encoding encoding_;
  encode::Format format_;
  Fd fd_;
  bool stalled_ = false;  // the reader took nothing last time: it gets no more patience until it does
};

}  // namespace nslookout::sink
