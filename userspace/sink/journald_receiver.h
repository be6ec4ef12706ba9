// Entries to the journal's socket, one datagram each; one that is too large for a datagram goes as a sealed memory file
// (systemd, "Native Journal Protocol"). See receiver.h for the contract.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/fd.h"
#include "sink/receiver.h"
#include "sink/spec.h"

namespace nslookout::sink {

class JournaldReceiver : public Receiver {
 public:
  // Errors: runtime, when nobody listens on the socket.
  [[nodiscard]] static Result<std::unique_ptr<Receiver>> open(const Spec& spec);

  JournaldReceiver(std::string path, encode::Format format) : path_(std::move(path)), format_(format) {}

  [[nodiscard]] Result<std::string> encode(const event::Event& event) const override;
  [[nodiscard]] Delivery deliver(std::span<const std::string> records) override;
  [[nodiscard]] BatchLimits limits() const override { return {.records = 64}; }
  void cancel() override { cancelled_ = true; }

 private:
  [[nodiscard]] Result<void> connect();
  [[nodiscard]] int send(const std::string& record);  // errno; 0: sent
  [[nodiscard]] int send_datagram(const std::string& record);
  [[nodiscard]] int send_file(const std::string& record);

  std::string path_;
  encode::Format format_;
  Fd fd_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace nslookout::sink
