// What a record of events is known to lack.
//
// The sensor counts what it loses by stage (KIND_LOSS) and numbers its events; a number that is missing between two of one
// run is an event that is not in the file. A number that is not above the one before begins another run of the sensor.
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "event/event.h"

namespace nslookout::report {

class Losses {
 public:
  // from_first: the record has the run from its first event on, so that a first number above 1 is a gap. Else it may be
  // a part of one.
  explicit Losses(bool from_first) : from_first_(from_first) {}

  // In the order of the record.
  void add(const event::Event& event);
  // Something else that makes the record incomplete, as a sentence: "The agent ended before it was stopped."
  void add_gap(std::string sentence) { gaps_.push_back(std::move(sentence)); }
  // The events that follow are of another file.
  void begin_file() { last_ = 0; }

  // One sentence for each thing that was lost; empty: nothing was.
  [[nodiscard]] std::vector<std::string> sentences() const;

 private:
  void count_sequence(std::uint64_t sequence);

  bool from_first_;
  std::map<std::string, std::uint64_t> by_stage_;
  std::vector<std::string> gaps_;
  std::uint64_t last_ = 0;
  std::uint64_t missing_ = 0;  // numbers that no event had
};

}  // namespace nslookout::report
