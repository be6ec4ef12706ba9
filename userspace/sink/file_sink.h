// Events into a file, a FIFO, a terminal or a pipe on standard output. See sink.h for the contract.
#pragma once

#include <memory>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "sink/sink.h"
#include "sink/spec.h"

namespace nslookout::sink {

class FileSink : public Sink {
 public:
  // Opens spec.path (or duplicates standard output). Errors: runtime, one sentence.
  [[nodiscard]] static Result<std::unique_ptr<Sink>> open(const Spec& spec);

  FileSink(Fd fd, const Spec& spec);

  [[nodiscard]] Result<void> write(const event::Event& event) override;
  [[nodiscard]] Result<void> flush() override { return {}; }
  [[nodiscard]] bool finished() const override { return finished_; }

 private:
  void adopt_tail();
  void mend(std::string_view record, std::size_t written);

  Fd fd_;
  Spec spec_;
  std::string name_;  // of the place, for messages
  bool regular_file_ = false;
  bool line_open_ = false;  // JSON lines: the last octet written is not a newline
  bool stalled_ = false;    // the reader took nothing last time: it gets no more patience until it does
  bool finished_ = false;
};

}  // namespace nslookout::sink
