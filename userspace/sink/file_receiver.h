// Records into a file, a FIFO, a terminal or a pipe on standard output. See receiver.h for the contract.
//
// A regular file that was renamed or removed is opened anew before the next record (logrotate's `create`), as it is after
// reopen() (its `postrotate` with SIGUSR1). With rotate=SIZE the file is renamed to FILE.1 when the next record would
// make it larger, FILE.1 to FILE.2 and so on; FILE.keep goes.
//
// A record that was cut (its reader paused, the disk was full) goes on where it stopped when it is given again, as long
// as the descriptor is the same and nobody else wrote to the file meanwhile.
// Invariant: never is a record glued to a cut one.
// Thread rule: see receiver.h.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "sink/receiver.h"
#include "sink/spec.h"

namespace nslookout::sink {

class FileReceiver : public Receiver {
 public:
  // Opens spec.path (or duplicates standard output). Errors: runtime, one sentence.
  [[nodiscard]] static Result<std::unique_ptr<Receiver>> open(const Spec& spec);

  FileReceiver(Fd fd, const Spec& spec, std::chrono::milliseconds patience = reader_patience);

  [[nodiscard]] Result<std::string> encode(const event::Event& event) const override;
  [[nodiscard]] Delivery deliver(std::span<const std::string> records) override;
  [[nodiscard]] BatchLimits limits() const override { return {.records = 64}; }
  void idle() override;
  void reopen() override { reopen_asked_ = true; }
  [[nodiscard]] bool finished() const override { return finished_; }

 private:
  [[nodiscard]] Result<void> write(const std::string& record);
  void adopt(Fd fd);
  void adopt_tail();
  [[nodiscard]] bool goes_on(const std::string& record) const;
  void give_up_cut();
  void keep_cut(const std::string& record, std::string_view octets, const WriteOutcome& outcome);
  [[nodiscard]] bool was_moved() const;
  [[nodiscard]] Result<void> open_anew();
  [[nodiscard]] Result<void> rotate_for(std::size_t octets);

  // The record whose beginning is on the descriptor.
  struct Cut {
    std::string record;
    std::string rest;   // of its octets
    std::int64_t size;  // of a regular file that ends with its beginning
  };

  Fd fd_;
  Spec spec_;
  std::chrono::milliseconds patience_;
  std::string name_;  // of the place, for messages
  bool regular_file_ = false;
  std::optional<Cut> cut_;
  bool line_open_ = false;  // JSON lines: the last octet written is not a newline
  bool stalled_ = false;    // the reader took nothing last time: it gets no more patience until it does
  std::atomic<bool> finished_ = false;
  std::atomic<bool> reopen_asked_ = false;
};

}  // namespace nslookout::sink
