// A bounded queue of records in memory, between the thread that makes events and the one that delivers them.
// Invariant: it holds no more than its limit of octets, and always room for one record.
// Thread rule: see RecordSource; push() one thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "sink/record_source.h"

namespace nslookout::sink {

// What push() does when there is no room: the agent must not wait for a receiver, a replay has the time.
enum class WhenFull { drop, wait };

class RecordQueue : public RecordSource {
 public:
  RecordQueue(std::size_t limit_octets, WhenFull when_full) : limit_(limit_octets), when_full_(when_full) {}

  // False: there was no room, or the queue is closed.
  [[nodiscard]] bool push(std::string record);

  [[nodiscard]] std::vector<std::string> take(const BatchLimits& limits) override;
  void done(std::size_t count) override;
  void wake() override;
  void close() override;
  [[nodiscard]] bool closed() const override;
  [[nodiscard]] std::size_t waiting() const override;
  [[nodiscard]] bool durable() const override { return false; }

  // Waits until nothing waits or the time is up; whether nothing does.
  [[nodiscard]] bool wait_empty(std::chrono::steady_clock::time_point until) const;

 private:
  // Between two calls of take() that find something, unless many octets wait.
  static constexpr std::chrono::milliseconds linger{2};

  [[nodiscard]] bool fits(const std::string& record) const;
  [[nodiscard]] std::size_t many() const { return limit_ / 8; }

  const std::size_t limit_;
  const WhenFull when_full_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::deque<std::string> records_;
  std::size_t octets_ = 0;
  std::size_t in_flight_ = 0;
  std::chrono::steady_clock::time_point last_taken_{};
  bool woken_ = false;
  bool closed_ = false;
};

}  // namespace nslookout::sink
