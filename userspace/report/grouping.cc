#include "report/grouping.h"

#include <algorithm>
#include <string_view>

#include "base/level.h"

namespace nslookout::report {
namespace {

void append(std::string& text, std::string_view separator, const std::string& part) {
  if (part.empty()) return;
  if (!text.empty()) text += separator;
  text += part;
}

bool is_counted_elsewhere(const event::Event& event) {
  return event.role == event::Role::forwarder && !event.duplicate_of.empty();
}

const event::Rule* gravest(const std::vector<event::Rule>& rules) {
  const auto found = std::ranges::max_element(
      rules, [](const event::Rule& a, const event::Rule& b) { return level_rank(a.level) < level_rank(b.level); });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace

bool asks(event::Kind kind) { return kind == event::Kind::query || kind == event::Kind::match; }

bool is_told(const event::Event& event) {
  return event.dns && !is_counted_elsewhere(event) && (asks(event.kind) || !event.rules.empty());
}

const std::string& asked_name(const event::Event& event) {
  return event.dns->expanded_from.empty() ? event.dns->query : event.dns->expanded_from;
}

std::string step_of(const event::Event& event) {
  if (!event.origin || !event.origin->ci) return "";
  const event::Ci& ci = *event.origin->ci;
  std::string step = ci.job;
  append(step, " / ", ci.step.empty() ? ci.action : ci.step);
  return step.empty() ? ci.system : step;
}

std::string program_name(const event::Process& process) {
  const auto& path = process.executable.empty() ? process.comm : process.executable;
  return path.substr(path.rfind('/') + 1);
}

void add_rules(std::vector<event::Rule>& rules, const std::vector<event::Rule>& more) {
  for (const event::Rule& rule : more) {
    const bool known = std::ranges::any_of(
        rules, [&](const event::Rule& other) { return other.id == rule.id && other.title == rule.title; });
    if (!known) rules.push_back(rule);
  }
}

int rank_of(const std::vector<event::Rule>& rules) {
  const event::Rule* rule = gravest(rules);
  return rule == nullptr ? 0 : level_rank(rule->level);
}

std::string level_of(const std::vector<event::Rule>& rules) {
  const event::Rule* rule = gravest(rules);
  if (rule == nullptr) return "";
  return rule->level.empty() ? "medium" : rule->level;
}

std::string outcome_of(const std::vector<event::Rule>& rules, event::Action action) {
  switch (action) {
    case event::Action::blocked:
      return "blocked";
    case event::Action::would_block:
      return "would block";
    default:
      return rules.empty() ? "" : "matched";
  }
}

}  // namespace nslookout::report
