// One source of facts about containers, with the threads that wait for it, so that nobody else has to.
//
// Questions are answered in turn, and each within Timing::patience: a source that nobody listens at (a runtime that
// restarts) and one that lags are asked again until then. A source that stayed away, or took long to fail, is left alone
// for Timing::silence; questions in that time are unreachable at once, so that nobody waits for it again and again.
// Threads start when there is something to ask (RuntimeSource::there). Thread rule: ask from any thread; the listener's
// functions are called on the worker's own threads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "identity/runtime_source.h"

namespace nslookout::identity {

enum class SourceAnswer { has, has_not, unreachable };

class RuntimeWorker {
 public:
  struct Timing {
    std::chrono::milliseconds patience{1800};     // with a question
    std::chrono::milliseconds retry{50};          // between two tries of a question
    std::chrono::milliseconds slow{500};          // a failure that took so long makes the source be left alone
    std::chrono::milliseconds silence{10'000};    // for so long
    std::chrono::milliseconds watch_again{1000};  // after a stream of events ended
    std::size_t queue = 256;                      // questions that wait
  };
  struct Listener {
    std::function<void(ContainerFacts)> learned;
    std::function<void(const std::string& id, SourceAnswer answer)> answered;  // after learned, for has
  };

  RuntimeWorker(std::unique_ptr<RuntimeSource> source, Listener listener, Timing timing);
  ~RuntimeWorker();  // gives up what is being asked
  RuntimeWorker(const RuntimeWorker&) = delete;
  RuntimeWorker& operator=(const RuntimeWorker&) = delete;

  // What the source has already, and its stream of events, if there is something to ask.
  void start_if_there();

  // pending: answered() will be called for the id.
  enum class Asked { pending, not_there, unreachable };
  [[nodiscard]] Asked ask(const std::string& id);

  [[nodiscard]] const RuntimeSource& source() const { return *source_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Question {
    std::string id;
    Clock::time_point deadline;
    Clock::time_point not_before;
  };

  [[nodiscard]] bool start(std::unique_lock<std::mutex>& held);
  void answer_questions();
  void take_stock();
  [[nodiscard]] bool next(Question& question);
  void put(Question question);
  [[nodiscard]] bool answer(const Question& question);
  void tell_failure(const Error& error);
  void fall_silent();
  void watch();
  [[nodiscard]] bool pause(std::chrono::milliseconds time);

  std::unique_ptr<RuntimeSource> source_;
  Listener listener_;
  Timing timing_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Question> questions_;
  Clock::time_point silent_until_;
  bool failing_ = false;  // for the log: only changes are told
  bool stop_ = false;
  std::thread asker_;
  std::thread watcher_;
};

}  // namespace nslookout::identity
