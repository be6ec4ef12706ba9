// A sink with a thread of its own: write() puts the record into a bounded queue, a courier carries it to the receiver.
// With a spool a second thread moves the records from the queue to the disk, and the courier takes them from there, so
// that neither the disk nor the receiver is ever waited for. See sink.h for the contract.
#pragma once

#include <memory>
#include <string>

#include "sink/courier.h"
#include "sink/record_queue.h"
#include "sink/sink.h"
#include "sink/spec.h"
#include "sink/spool.h"

namespace nslookout::sink {

class QueuedSink : public Sink {
 public:
  // Errors: those of the spool.
  [[nodiscard]] static Result<std::unique_ptr<Sink>> open(std::string name, const Spec& spec,
                                                          std::unique_ptr<Receiver> receiver, WhenFull when_full);

  QueuedSink(std::string name, const Spec& spec, std::shared_ptr<Receiver> receiver, std::shared_ptr<Spool> spool,
             WhenFull when_full);
  QueuedSink(const QueuedSink&) = delete;
  QueuedSink& operator=(const QueuedSink&) = delete;
  ~QueuedSink() override;

  [[nodiscard]] Result<void> write(const event::Event& event) override;
  // Waits only where write() does: an agent's flush must not.
  [[nodiscard]] Result<void> flush() override;
  [[nodiscard]] bool finished() const override;
  void reopen() override;
  void hurry() override;
  void close(std::chrono::steady_clock::time_point until) override;
  [[nodiscard]] SinkStatus status() const override;

 private:
  const std::string name_;
  const WhenFull when_full_;
  const std::shared_ptr<Receiver> receiver_;
  const std::shared_ptr<RecordQueue> queue_;
  const std::shared_ptr<Spool> spool_;
  std::unique_ptr<Courier> to_spool_;  // where there is one
  std::unique_ptr<Courier> courier_;
  std::atomic<std::uint64_t> dropped_ = 0;  // had no room in the queue
  bool dropping_ = false;                   // the log has been told
  bool closed_ = false;
};

}  // namespace nslookout::sink
