// The rules in use, and those before them for as long as a lookup may still be theirs.
//
// A candidate carries the number of the tables that let it out. Until the ring has been read past a reload, and while queries
// wait for a response or for a container's name, lookups of the generation before are judged by its rules: a reload neither
// loses a hit nor shows half of two rule sets. What a correlation has counted is kept within its generation: its windows begin
// anew at a reload.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "compile/plan.h"
#include "match/correlator.h"
#include "match/verifier.h"

namespace nslookout::agent {

struct Generation {
  Generation(std::shared_ptr<const compile::Plan> rules, std::uint32_t its_number);

  std::shared_ptr<const compile::Plan> plan;
  std::uint32_t number;
  match::Verifier verifier;
  match::Correlator correlator;
  bool correlations_ask_runtime;  // about containers
};

class Generations {
 public:
  explicit Generations(std::shared_ptr<const compile::Plan> plan);

  // Makes the plan the current one; called before its tables are published. Times: ns since boot.
  void adopt(std::shared_ptr<const compile::Plan> plan, std::uint32_t number, std::uint64_t now);

  // Undoes the last adopt(): its tables could not be published, and the plan before it is still the one in use.
  void withdraw();

  // Lets go of those that were replaced long enough ago that nothing of theirs can still come; whether
  // there was one.
  bool retire(std::uint64_t now);

  [[nodiscard]] const std::shared_ptr<Generation>& current() const { return all_.back().generation; }
  // The generation with that number; the current one where that is gone.
  [[nodiscard]] const std::shared_ptr<Generation>& of(std::uint32_t number) const;
  [[nodiscard]] std::size_t size() const { return all_.size(); }

  // Of all of them, those that are gone too.
  [[nodiscard]] std::uint64_t correlation_evictions() const;

 private:
  struct Entry {
    std::shared_ptr<Generation> generation;
    std::uint64_t replaced = 0;  // when; of all but the last
  };
  std::vector<Entry> all_;  // oldest first, never empty
  std::uint64_t gone_evictions_ = 0;
};

}  // namespace nslookout::agent
