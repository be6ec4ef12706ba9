// When rules change, those that are new are held against the history: the name was asked before the rule came.
//
//   HistoryHunt hunt(path, 24h);
//   hunt.start(before, now);                     // on a reload
//   for (event::Event& event : hunt.take()) …    // now and then
//
// A rule or list entry is new where it matches a lookup that what was loaded before did not report under the same id.
// Thread rule: one thread calls; the history is read in a thread of its own, one hunt after the other.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "compile/plan.h"
#include "event/event.h"

namespace nslookout::agent {

class HistoryHunt {
 public:
  static constexpr std::size_t most_found = 10'000;  // events of one hunt; what is more is logged

  // back: how long ago a lookup may have been seen last.
  HistoryHunt(std::string path, std::chrono::nanoseconds back);
  HistoryHunt(const HistoryHunt&) = delete;
  HistoryHunt& operator=(const HistoryHunt&) = delete;
  ~HistoryHunt();

  void start(std::shared_ptr<const compile::Plan> before, std::shared_ptr<const compile::Plan> now);

  // What was found since the last call: the first event of each lookup, with the new rules, its time that of the last of them.
  [[nodiscard]] std::vector<event::Event> take();

 private:
  struct Change {
    std::shared_ptr<const compile::Plan> before, now;
  };

  void work();
  void hunt(const Change& change);

  const std::string path_;
  const std::chrono::nanoseconds back_;

  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<Change> changes_;
  std::vector<event::Event> found_;
  std::atomic<bool> ending_ = false;

  std::thread thread_;
};

}  // namespace nslookout::agent
