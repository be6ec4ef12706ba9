#include "agent/generations.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "sigma/correlation.h"

namespace nslookout::agent {
namespace {

// Longer than an event is held for its container's name (hold.h) and than the ring takes to be read.
constexpr std::uint64_t kept_ns = 3'000'000'000;

std::uint64_t evictions_of(const Generation& generation) {
  return generation.correlator.evictions().groups + generation.correlator.evictions().entries;
}

bool asks_runtime(const compile::Plan& plan) {
  return std::ranges::any_of(plan.correlations(), [](const sigma::Correlation& correlation) {
    return sigma::reads_field(correlation, sigma::is_told_by_runtime);
  });
}

}  // namespace

Generation::Generation(std::shared_ptr<const compile::Plan> rules, std::uint32_t its_number)
    : plan(std::move(rules)),
      number(its_number),
      verifier(*plan),
      correlator(*plan),
      correlations_ask_runtime(asks_runtime(*plan)) {}

Generations::Generations(std::shared_ptr<const compile::Plan> plan) {
  all_.push_back({std::make_shared<Generation>(std::move(plan), 1)});
}

void Generations::adopt(std::shared_ptr<const compile::Plan> plan, std::uint32_t number, std::uint64_t now) {
  all_.back().replaced = now;
  all_.push_back({std::make_shared<Generation>(std::move(plan), number)});
}

void Generations::withdraw() {
  all_.pop_back();
  all_.back().replaced = 0;
}

bool Generations::retire(std::uint64_t now) {
  const std::size_t before = all_.size();
  while (all_.size() > 1 && all_.front().replaced + kept_ns <= now) {
    gone_evictions_ += evictions_of(*all_.front().generation);
    all_.erase(all_.begin());
  }
  return all_.size() < before;
}

const std::shared_ptr<Generation>& Generations::of(std::uint32_t number) const {
  for (const Entry& entry : std::views::reverse(all_)) {
    if (entry.generation->number == number) return entry.generation;
  }
  return current();
}

std::uint64_t Generations::correlation_evictions() const {
  std::uint64_t evictions = gone_evictions_;
  for (const Entry& entry : all_) evictions += evictions_of(*entry.generation);
  return evictions;
}

}  // namespace nslookout::agent
