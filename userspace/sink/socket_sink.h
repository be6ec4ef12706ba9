// Events to whoever listens on a Unix stream socket. See sink.h for the contract.
//
// Invariant: a connection carries whole records until its end; a cut record is the last thing on it, and the next event
// starts on a new connection.
#pragma once

#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "sink/sink.h"
#include "sink/spec.h"

namespace nslookout::sink {

class SocketSink : public Sink {
 public:
  // Connects. Errors: runtime, one sentence.
  [[nodiscard]] static Result<std::unique_ptr<Sink>> open(const Spec& spec);

  SocketSink(std::string path, Encoding encoding) : path_(std::move(path)), encoding_(encoding) {}

  // Connects anew where the reader has gone: a restarted reader costs no event that was not already in its queue.
  [[nodiscard]] Result<void> write(const event::Event& event) override;
  [[nodiscard]] Result<void> flush() override { return {}; }
  [[nodiscard]] bool finished() const override { return false; }

 private:
  [[nodiscard]] Result<void> connect();

  std::string path_;
  Encoding encoding_;
  Fd fd_;
  bool stalled_ = false;  // the reader took nothing last time: it gets no more patience until it does
};

}  // namespace nslookout::sink
