// Records on disk until a receiver has taken them: what an output has not delivered survives a restart of the agent.
//
// A folder of one output holds
//   NNNNNNNNNNNNNNNNNNNN.records  segments; the name is the number of the segment's first record, counted from 0
//   position                      the number of the next record to deliver, and its offset in its segment, as text
//   lock                          held by the process that uses the folder
// A record in a segment: its length and the CRC-32 of length and octets (both 32 bits, little endian), then the octets.
//
// Invariants: records come out in the order they went in, each at least once; what is on disk never exceeds the cap, of
// which delivered records take a sixteenth at most until their segment goes; a record cut by a crash or damaged on the
// disk costs itself and what follows in its segment, never a wrong record, and damaged() counts it. Written records
// survive the end of the process at once, that of the machine after at most a segment's worth (fdatasync).
// Errors: runtime, one sentence. Thread rule: append() and sync() one thread, take() and done() another; the rest any.
// waiting(), octets() and damaged() never wait for the disk that the others write to.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "sink/record_source.h"

namespace nslookout::sink {

class Spool : public RecordSource {
 public:
  // Creates the folder (mode 0700) where it is absent; its parent must exist.
  [[nodiscard]] static Result<std::shared_ptr<Spool>> open(const std::string& folder, std::uint64_t cap_octets);

  // Error: full, or the disk refused.
  [[nodiscard]] Result<void> append(const std::string& record);
  // What was appended is on the disk when this returns, if the disk can.
  void sync();

  [[nodiscard]] std::vector<std::string> take(const BatchLimits& limits) override;
  void done(std::size_t count) override;
  void wake() override;
  void close() override;
  [[nodiscard]] bool closed() const override;
  [[nodiscard]] std::size_t waiting() const override { return waiting_; }
  [[nodiscard]] bool durable() const override { return true; }

  [[nodiscard]] std::uint64_t octets() const { return octets_; }    // on disk
  [[nodiscard]] std::uint64_t damaged() const { return damaged_; }  // records lost to damage, as far as can be counted

 private:
  struct Segment {
    std::uint64_t first = 0;  // number of its first record
    std::uint64_t size = 0;   // octets
  };
  struct Taken {
    std::uint64_t next_number = 0;  // of the record after it, and where that is
    std::uint64_t next_offset = 0;
  };

  Spool(std::string folder, std::uint64_t cap_octets);
  [[nodiscard]] Result<void> lock();
  [[nodiscard]] Result<void> find_segments();
  [[nodiscard]] Result<void> adopt_last_segment();
  [[nodiscard]] Result<void> start_segment(std::uint64_t first);
  [[nodiscard]] Result<void> append_frame(const std::string& frame);
  [[nodiscard]] bool is_full_for(std::uint64_t octets);
  // 0, or why not (errno). What was written of it is cut off again.
  [[nodiscard]] int write_frame(const std::string& frame);
  [[nodiscard]] bool empty_last_segment();
  void read_position();
  void write_position();
  [[nodiscard]] bool put_position();
  [[nodiscard]] std::string segment_path(std::uint64_t first) const;
  [[nodiscard]] Result<Fd> open_file(const std::string& path, int flags) const;
  [[nodiscard]] bool open_for_reading();
  [[nodiscard]] bool read_record(std::string& record);
  void skip_damage();
  void next_segment_to_read();
  void remove_delivered();
  void tell_sizes();

  const std::string folder_;
  const std::uint64_t cap_;
  const std::uint64_t segment_octets_;
  Fd lock_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Segment> segments_;  // oldest first; the last one is written
  Fd written_;
  Fd full_segment_;        // written before that, and not yet synced
  bool unsynced_ = false;  // something was written since the last sync()
  Fd position_;
  bool position_written_ = true;     // the last time; the log has been told where not
  std::uint64_t next_to_write_ = 0;  // numbers of records
  std::uint64_t next_to_take_ = 0;
  std::uint64_t next_to_deliver_ = 0;
  std::size_t reading_ = 0;  // index of the segment that take() is in
  Fd read_;
  std::uint64_t read_offset_ = 0;
  std::uint64_t delivered_offset_ = 0;
  std::deque<Taken> taken_;
  std::atomic<std::uint64_t> damaged_ = 0;
  std::atomic<std::size_t> waiting_ = 0;
  std::atomic<std::uint64_t> octets_ = 0;
  bool full_ = false;  // since it refused a record, and until a segment has gone
  bool woken_ = false;
  bool closed_ = false;
};

}  // namespace nslookout::sink
