#include "report/job.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/level.h"
#include "base/text.h"
#include "report/visible.h"

namespace nslookout::report {
namespace {

void append(std::string& text, std::string_view separator, const std::string& part) {
  if (part.empty()) return;
  if (!text.empty()) text += separator;
  text += part;
}

std::string step_of(const event::Event& event) {
  if (!event.origin || !event.origin->ci) return "";
  const event::Ci& ci = *event.origin->ci;
  std::string step = ci.job;
  append(step, " / ", ci.step.empty() ? ci.action : ci.step);
  return step.empty() ? ci.system : step;
}

std::string package_of(const event::Event& event) {
  if (!event.origin || !event.origin->package) return "";
  const event::Package& package = *event.origin->package;
  std::string text = package.manager;
  for (const auto* part : {&package.name, &package.version, &package.script}) append(text, " ", *part);
  return text;
}

std::string program_of(const event::Process& process) {
  const auto& path = process.executable.empty() ? process.comm : process.executable;
  return path.substr(path.rfind('/') + 1);
}

bool is_counted_elsewhere(const event::Event& event) {
  return event.role == event::Role::forwarder && !event.duplicate_of.empty();
}

bool asks(event::Kind kind) { return kind == event::Kind::query || kind == event::Kind::match; }

void add_rules(std::vector<event::Rule>& rules, const std::vector<event::Rule>& more) {
  for (const event::Rule& rule : more) {
    const bool known = std::any_of(rules.begin(), rules.end(), [&](const event::Rule& other) {
      return other.id == rule.id && other.title == rule.title;
    });
    if (!known) rules.push_back(rule);
  }
}

const event::Rule* gravest(const std::vector<event::Rule>& rules) {
  const auto found = std::max_element(rules.begin(), rules.end(), [](const event::Rule& a, const event::Rule& b) {
    return level_rank(a.level) < level_rank(b.level);
  });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace

int Asked::rank() const {
  const event::Rule* rule = gravest(rules);
  return rule == nullptr ? 0 : level_rank(rule->level);
}

std::string Asked::level() const {
  const event::Rule* rule = gravest(rules);
  if (rule == nullptr) return "";
  return rule->level.empty() ? "medium" : rule->level;
}

std::string Asked::outcome() const {
  switch (action) {
    case event::Action::blocked:
      return "blocked";
    case event::Action::would_block:
      return "would block";
    default:
      return matched() ? "matched" : "";
  }
}

void Job::add(const event::Event& event) {
  count_sequence(event.sequence);
  for (const event::Loss& loss : event.losses) lost_[loss.stage] += loss.count;
  if (!event.dns || is_counted_elsewhere(event)) return;
  if (!asks(event.kind) && event.rules.empty()) return;
  Asked* asked = entry(event);
  if (asked == nullptr) {
    left_out_ += 1;
    return;
  }
  if (asks(event.kind)) asked->lookups += 1;
  if (!event.dns->record_type.empty()) asked->types.insert(event.dns->record_type);
  if (event.process && asked->programs.size() < max_programs) asked->programs.insert(program_of(*event.process));
  if (!event.rules.empty()) asked->action = std::max(asked->action, event.action);
  add_rules(asked->rules, event.rules);
}

Asked* Job::entry(const event::Event& event) {
  const std::string step = step_of(event);
  const std::string package = package_of(event);
  const std::string& name = event.dns->expanded_from.empty() ? event.dns->query : event.dns->expanded_from;
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

void Job::count_sequence(std::uint64_t sequence) {
  if (sequence == 0) return;
  if (sequence > last_sequence_ + 1) missing_ += sequence - last_sequence_ - 1;
  last_sequence_ = std::max(last_sequence_, sequence);
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
  std::vector<std::string> sentences = gaps_;
  for (const auto& [stage, count] : lost_) {
    if (count > 0) sentences.push_back(fmt::format("The sensor lost {} at the stage {}.", count, stage));
  }
  if (missing_ > 0)
    sentences.push_back(fmt::format("{} of the sensor's are not in the file.", counted(missing_, "event")));
  if (left_out_ > 0) {
    sentences.push_back(fmt::format("{} of further names are not listed: there are more than {} names.",
                                    counted(left_out_, "lookup"), max_names));
  }
  return sentences;
}

}  // namespace nslookout::report
