// What became of the candidates, counted for the metrics and for `nslookout status`.
//
// Counts of rules outlive the generation that they were counted in: a rule is the same one while its id is (its title where
// it has none).
// Thread rule: one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/level.h"
#include "event/event.h"
#include "health/snapshot.h"
#include "match/verifier.h"

namespace nslookout::agent {

class Tally {
 public:
  // A candidate that the verifier has decided on.
  void verified(bool refused) {
    ++verified_;
    if (refused) ++refused_;
  }

  void hits(const std::vector<match::Hit>& hits) {
    for (const match::Hit& hit : hits) {
      ++by_level_[static_cast<std::size_t>(level_rank(hit.level()) - 1)];
      ++by_rule_[std::string(key(hit.id(), hit.title()))];
    }
  }

  // An event that was given to the outputs, so long after its lookup.
  void written(const event::Event& event, std::chrono::nanoseconds latency) {
    ++by_kind_[static_cast<std::size_t>(event.kind)];
    if (event.dns) latency_.add(latency);
  }

  [[nodiscard]] std::uint64_t verified_count() const { return verified_; }
  [[nodiscard]] std::uint64_t refused_count() const { return refused_; }
  [[nodiscard]] const std::array<std::uint64_t, levels.size()>& by_level() const { return by_level_; }
  [[nodiscard]] const std::array<std::uint64_t, 7>& by_kind() const { return by_kind_; }  // event::Kind
  [[nodiscard]] const health::Histogram& latency() const { return latency_; }
  [[nodiscard]] std::uint64_t of_rule(std::string_view id, std::string_view title) const {
    const auto found = by_rule_.find(std::string(key(id, title)));
    return found == by_rule_.end() ? 0 : found->second;
  }

 private:
  static std::string_view key(std::string_view id, std::string_view title) { return id.empty() ? title : id; }

  std::uint64_t verified_ = 0;
  std::uint64_t refused_ = 0;
  std::array<std::uint64_t, levels.size()> by_level_{};
  std::array<std::uint64_t, 7> by_kind_{};
  std::unordered_map<std::string, std::uint64_t> by_rule_;
  health::Histogram latency_;
};

}  // namespace nslookout::agent
