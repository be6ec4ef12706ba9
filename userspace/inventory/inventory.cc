#include "inventory/inventory.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace nslookout::inventory {
namespace {

void add_rules(std::vector<event::Rule>& rules, const std::vector<event::Rule>& more) {
  for (const event::Rule& rule : more) {
    const bool known = std::ranges::any_of(
        rules, [&](const event::Rule& other) { return other.id == rule.id && other.title == rule.title; });
    if (!known) rules.push_back(rule);
  }
}

// An action is of the rules that matched.
event::Action action_of(const event::Event& event) {
  return event.rules.empty() ? event::Action::unspecified : event.action;
}

}  // namespace

bool is_lookup(const event::Event& event) {
  switch (event.kind) {
    case event::Kind::match:
    case event::Kind::query:
    case event::Kind::correlation:
      return true;
    case event::Kind::response:
      return event.duplicate_of.empty();
    default:
      return false;
  }
}

void Inventory::add(const event::Event& event) {
  for (const event::Loss& loss : event.losses) losses_[loss.stage] += loss.count;
  if (!event.dns) return;
  const bool lookup = is_lookup(event);
  if (!lookup && event.rules.empty()) return;
  merge(event, {.event = {},
                .first = event.time,
                .last = event.time,
                .count = lookup ? 1U : 0U,
                .rules = event.rules,
                .action = action_of(event)});
}

void Inventory::add(const Lookup& lookup) {
  if (lookup.event.dns) merge(lookup.event, lookup);
}

// more.event is not looked at: it is event.
void Inventory::merge(const event::Event& event, const Lookup& more) {
  Key key = key_of(event);
  const auto found = lookups_.find(key);
  const bool fresh = found == lookups_.end();
  if (fresh) {
    const bool room = more.rules.empty() ? lookups_.size() - matched_ < limit_ : matched_ < limit_;
    if (!room) {
      left_out_ += more.count;
      return;
    }
  }
  Lookup& lookup = fresh ? lookups_[std::move(key)] : found->second;
  if (fresh || more.first < lookup.first) lookup.event = event;
  lookup.first = fresh ? more.first : std::min(lookup.first, more.first);
  lookup.last = fresh ? more.last : std::max(lookup.last, more.last);
  lookup.count += more.count;
  if (lookup.rules.empty() && !more.rules.empty()) ++matched_;
  add_rules(lookup.rules, more.rules);
  lookup.action = std::max(lookup.action, more.action);
}

}  // namespace nslookout::inventory
