// Rules held against lookups that are over, as events tell of them: what `hunt` does, and the agent when rules change.
//
// An event has the fields that it was written with: what it does not have is missing for a rule. Correlations are left out, and
// the rules that serve them alone: a history has each lookup once, not the times of all.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/search_suffix.h"
#include "compile/plan.h"
#include "event/event.h"
#include "match/verifier.h"

namespace nslookout::agent {

class PastRules {
 public:
  // The plan must outlive it.
  explicit PastRules(const compile::Plan& plan) : plan_(plan), verifier_(plan) {}

  // Those that match, in the events' form; none for an event without a name that can be looked up.
  [[nodiscard]] std::vector<event::Rule> of(const event::Event& event);
  // Events without such a name.
  [[nodiscard]] std::uint64_t unreadable() const { return unreadable_; }

 private:
  [[nodiscard]] std::vector<SearchSuffix> suffixes_of(const event::Event& event) const;

  const compile::Plan& plan_;
  match::Verifier verifier_;
  std::uint64_t unreadable_ = 0;
};

}  // namespace nslookout::agent
