#include "report/job.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "inventory/lookup.h"
#include "report/grouping.h"

namespace nslookout::report {

int Asked::rank() const { return rank_of(rules); }

std::string Asked::level() const { return level_of(rules); }

std::string Asked::outcome() const { return outcome_of(rules, action); }

void Job::add(const event::Event& event) {
  losses_.add(event);
  if (!is_told(event)) return;
  Asked* asked = entry(event);
  if (asked == nullptr) {
    left_out_ += 1;
    return;
  }
  if (asks(event.kind)) asked->lookups += 1;
  if (!event.dns->record_type.empty()) asked->types.insert(event.dns->record_type);
  if (event.process && asked->programs.size() < max_programs) asked->programs.insert(program_name(*event.process));
  if (!event.rules.empty()) asked->action = std::max(asked->action, event.action);
  add_rules(asked->rules, event.rules);
}

Asked* Job::entry(const event::Event& event) {
  const std::string step = step_of(event);
  const std::string package = inventory::package_of(event);
  const std::string& name = asked_name(event);
  const auto found = asked_.find({step, package, name});
  if (found != asked_.end()) return &found->second;
  if (asked_.size() >= max_names && event.rules.empty()) return nullptr;
  step_order_.emplace(step, step_order_.size());
  Asked& asked = asked_[{step, package, name}];
  asked.step = step;
  asked.package = package;
  asked.name = name;
  return &asked;
}

std::vector<const Asked*> Job::names() const {
  std::vector<const Asked*> all;
  all.reserve(asked_.size());
  for (const auto& [key, asked] : asked_) all.push_back(&asked);
  std::stable_sort(all.begin(), all.end(), [this](const Asked* a, const Asked* b) {
    return step_order_.at(a->step) < step_order_.at(b->step);
  });
  return all;
}

std::vector<const Asked*> Job::matched() const {
  std::vector<const Asked*> some;
  for (const Asked* asked : names()) {
    if (asked->matched()) some.push_back(asked);
  }
  std::stable_sort(some.begin(), some.end(), [](const Asked* a, const Asked* b) {
    return std::pair(a->action, a->rank()) > std::pair(b->action, b->rank());
  });
  return some;
}

Totals Job::totals() const {
  Totals totals;
  for (const auto& [key, asked] : asked_) {
    totals.names += 1;
    totals.lookups += asked.lookups;
    if (!asked.matched()) continue;
    totals.matched += 1;
    totals.blocked += asked.action == event::Action::blocked ? 1 : 0;
    totals.would_block += asked.action == event::Action::would_block ? 1 : 0;
    if (asked.rank() > totals.rank) {
      totals.rank = asked.rank();
      totals.level = asked.level();
    }
  }
  return totals;
}

std::vector<std::string> Job::losses() const {
  std::vector<std::string> sentences = losses_.sentences();
  if (left_out_ > 0) {
    sentences.push_back(fmt::format("{} of further names are not listed: there are more than {} names.",
                                    counted(left_out_, "lookup"), max_names));
  }
  return sentences;
}

}  // namespace nslookout::report
