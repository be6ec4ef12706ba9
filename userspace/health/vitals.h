// Between the thread that reads the ring and the threads that answer others: whether the reading moves, whether the agent
// is ready, and the snapshot that somebody asks for.
//
//   reading thread:  while (running) { …; vitals.attend([&] { return snapshot(); }); }
//   other threads:   if (auto snapshot = vitals.ask(2s)) …
//
// The reading thread makes the snapshot itself, when one was asked for, so that nothing that it counts needs a lock.
// Thread rule: attend from the one reading thread, all else from any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "health/snapshot.h"

namespace nslookout::health {

class Vitals {
 public:
  using Clock = std::chrono::steady_clock;
  using Shared = std::shared_ptr<const Snapshot>;

  // Says that the reading moves. Cheap: a clock that is read without a system call, and a store.
  void beat() { last_beat_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed); }

  // beat(), and answers those who ask.
  void attend(const std::function<Snapshot()>& make) {
    beat();
    if (asked_.load(std::memory_order_relaxed)) answer(make);
  }

  // From now on programs are attached and tables filled, or they are no more.
  void set_ready(bool ready) { ready_.store(ready, std::memory_order_relaxed); }
  [[nodiscard]] bool ready() const { return ready_.load(std::memory_order_relaxed); }

  [[nodiscard]] Clock::duration since_last_beat() const {
    return Clock::now().time_since_epoch() - Clock::duration(last_beat_.load(std::memory_order_relaxed));
  }

  // Waits for a snapshot made after the call; none where the reading thread does not come by in time.
  [[nodiscard]] Shared ask(std::chrono::milliseconds patience);

  // From now on nobody attends: those who wait get nothing, at once.
  void close();

 private:
  void answer(const std::function<Snapshot()>& make);

  std::atomic<Clock::rep> last_beat_ = Clock::now().time_since_epoch().count();
  std::atomic<bool> ready_ = false;
  std::atomic<bool> asked_ = false;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::uint64_t answers_ = 0;  // these three guarded by mutex_
  Shared last_;
  bool closed_ = false;
};

}  // namespace nslookout::health
