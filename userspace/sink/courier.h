// The thread of an output: carries records from a source to a receiver, in order, and tries again until it succeeds or
// is told to stop. Between two tries it waits longer and longer, up to ten seconds, or as long as the receiver asked.
//
// Invariants: each record is delivered at least once, or counted as lost, or left in a source that keeps it. stop()
// returns in time whatever the receiver does: a thread that hangs in a library is left to itself.
// Thread rule: any thread; stop() once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "sink/receiver.h"
#include "sink/record_source.h"

namespace nslookout::sink {

class Courier {
 public:
  // name: of the output, for messages.
  Courier(std::string name, std::shared_ptr<RecordSource> source, std::shared_ptr<Receiver> receiver);
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;
  ~Courier();

  // Ends the pause before the next try, if there is one.
  void try_now();
  // The same, and closes the source; waits for nothing.
  void begin_to_stop();

  // The same, and goes on until it is empty or the time is up. What is left then is lost, or kept by the source.
  void stop(std::chrono::steady_clock::time_point until);

  [[nodiscard]] std::uint64_t delivered() const;
  [[nodiscard]] std::uint64_t lost() const;
  [[nodiscard]] std::string trouble() const;  // why the last try failed; empty after one that did not

 private:
  struct State;
  std::shared_ptr<State> state_;  // the thread's, too
  bool stopped_ = false;
};

}  // namespace nslookout::sink
