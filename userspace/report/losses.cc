#include "report/losses.h"

#include <fmt/format.h>

#include "base/text.h"

namespace nslookout::report {

void Losses::add(const event::Event& event) {
  count_sequence(event.sequence);
  for (const event::Loss& loss : event.losses) by_stage_[loss.stage] += loss.count;
}

void Losses::count_sequence(std::uint64_t sequence) {
  if (sequence == 0) return;
  if (sequence > last_ + 1 && (last_ != 0 || from_first_)) missing_ += sequence - last_ - 1;
  last_ = sequence;
}

std::vector<std::string> Losses::sentences() const {
  std::vector<std::string> sentences = gaps_;
  for (const auto& [stage, count] : by_stage_) {
    if (count > 0) sentences.push_back(fmt::format("The sensor lost {} at the stage {}.", count, stage));
  }
  if (missing_ > 0) {
    sentences.push_back(fmt::format("{} of the sensor's are not in the file.", counted(missing_, "event")));
  }
  return sentences;
}

}  // namespace nslookout::report
