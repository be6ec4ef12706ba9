// Lookups that the kernel let out once (--observe unique), for the history's counts of how often each was made.
//
// Invariants: what waits for its container is not recorded yet, and is counted once it is; nothing is kept that the kernel has
// forgotten. Thread rule: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kernel/sensor.h"

namespace nslookout::agent {

class ToldLookups {
 public:
  // told: nsl_candidate.told, not 0.
  void tell(std::uint32_t told, std::string event_id) { told_[told] = {.event_id = std::move(event_id)}; }

  // The history has the event. Any may be given.
  void recorded(std::uint32_t told, const std::string& event_id) {
    const auto found = told_.find(told);
    if (found != told_.end() && found->second.event_id == event_id) found->second.recorded = true;
  }

  // Hands on what came to recorded ones since the last call; repeats: all that the kernel remembers.
  using Add = std::function<void(const std::string& event_id, std::uint64_t more, std::uint64_t last)>;
  void count(const std::vector<kernel::Repeats>& repeats, const Add& add) {
    std::unordered_map<std::uint32_t, Told> kept;
    for (const kernel::Repeats& repeated : repeats) {
      const auto found = told_.find(repeated.told);
      if (found == told_.end()) continue;
      Told& told = found->second;
      if (told.recorded && repeated.count > told.counted) {
        add(told.event_id, repeated.count - told.counted, repeated.last);
        told.counted = repeated.count;
      }
      kept.insert(told_.extract(found));
    }
    told_ = std::move(kept);
  }

  [[nodiscard]] std::size_t size() const { return told_.size(); }

 private:
  struct Told {
    std::string event_id;
    std::uint64_t counted = 1;
    bool recorded = false;
  };
  std::unordered_map<std::uint32_t, Told> told_;
};

}  // namespace nslookout::agent
