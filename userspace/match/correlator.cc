#include "match/correlator.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "match/derived.h"
#include "match/numbers.h"

namespace nslookout::match {
namespace {

using sigma::Correlation;
using Type = Correlation::Type;

std::vector<std::string> values_of(const Query& query, const sigma::FieldName& field) {
  std::vector<std::string> texts;
  for (const FieldText& value : query.values(field.field, field.name)) texts.push_back(value.folded);
  if (!texts.empty() || !sigma::is_derived(field.field)) return texts;
  for (const FieldText& derived : derived_values(query, field.field)) texts.push_back(derived.folded);
  return texts;
}

// Joined so that no two lists of texts give the same key.
std::optional<std::string> key_of(const Query& query, const std::vector<sigma::FieldName>& fields) {
  std::string key;
  for (const sigma::FieldName& field : fields) {
    const std::vector<std::string> values = values_of(query, field);
    if (values.empty()) return std::nullopt;
    key += std::to_string(values.front().size()) + ':' + values.front();
  }
  return key;
}

bool holds(const Correlation::Limit& limit, double measure) {
  switch (limit.order) {
    case Correlation::Order::gt:
      return measure > limit.value;
    case Correlation::Order::gte:
      return measure >= limit.value;
    case Correlation::Order::lt:
      return measure < limit.value;
    case Correlation::Order::lte:
      return measure <= limit.value;
    case Correlation::Order::eq:
      return measure == limit.value;
    case Correlation::Order::neq:
      return measure != limit.value;
  }
  return false;
}

template <typename Entries>
double percentile_of(const Entries& entries, double percentile) {
  std::vector<double> numbers;
  numbers.reserve(entries.size());
  for (const auto& entry : entries) numbers.push_back(entry.number);
  const double rank = std::ceil(percentile / 100 * static_cast<double>(numbers.size()));
  const auto index = static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(numbers.begin(), numbers.begin() + index, numbers.end());
  return numbers[static_cast<std::size_t>(index)];
}

template <typename Entries>
double sum_of(const Entries& entries) {
  double sum = 0;
  for (const auto& entry : entries) sum += entry.number;
  return sum;
}

// How many different values, or sources, a group has is kept as its events come and go: a flood would else cost a walk over
// all of them at each.
bool counts_distinct(const Correlation& correlation) {
  return correlation.type == Type::value_count || correlation.type == Type::temporal;
}

// The earliest event of each source behind that of the one before leaves the most room for the rest.
template <typename Entries>
double sources_in_order(const Entries& entries) {
  std::size_t next = 0;
  for (const auto& entry : entries) next += entry.source == next ? 1 : 0;
  return static_cast<double>(next);
}

}  // namespace

Correlator::Correlator(const compile::Plan& plan, const Limits& limits)
    : plan_(&plan), limits_(limits), states_(plan.correlations().size()) {}

void Correlator::add(State& state, Group& group, const Entry& entry, bool distinct) {
  group.entries.push_back(entry);
  if (distinct) ++group.distinct[entry.value];
  group.octets += octets_of(entry);
  state.octets += octets_of(entry);
}

void Correlator::forget_first(State& state, Group& group) {
  const Entry& first = group.entries.front();
  const auto counted = group.distinct.find(first.value);
  if (counted != group.distinct.end() && --counted->second == 0) group.distinct.erase(counted);
  group.octets -= octets_of(first);
  state.octets -= octets_of(first);
  group.entries.pop_front();
}

void Correlator::forget_old(State& state, Group& group, Time timespan) {
  while (!group.entries.empty() && now_ - group.entries.front().time > timespan) forget_first(state, group);
}

void Correlator::drop_oldest(State& state) {
  const auto oldest = state.groups.find(state.by_age.front());
  state.octets -= oldest->second.octets;
  state.groups.erase(oldest);
  state.by_age.pop_front();
}

Correlator::Group& Correlator::group_of(State& state, const std::string& key, Time timespan) {
  const auto found = state.groups.find(key);
  if (found != state.groups.end()) {
    state.by_age.splice(state.by_age.end(), state.by_age, found->second.age);
    return found->second;
  }
  // A group without an event in its window is as good as none. The condition of such a group may have held (lt 5); it
  // begins to hold again at its next event.
  while (!state.by_age.empty() && now_ - state.groups.at(state.by_age.front()).entries.back().time > timespan)
    drop_oldest(state);
  if (state.groups.size() >= limits_.max_groups) {
    drop_oldest(state);
    ++evictions_.groups;
  }
  Group& group = state.groups[key];
  group.octets = sizeof group + 2 * key.size();
  state.octets += group.octets;
  group.age = state.by_age.insert(state.by_age.end(), key);
  return group;
}

std::vector<Correlator::Entry> Correlator::entries_of(const Correlation& correlation, std::size_t source,
                                                      const Query& query) const {
  Entry entry{now_, source, {}, 0};
  if (correlation.type == Type::temporal) entry.value = std::to_string(source);
  if (correlation.fields.empty()) return {entry};
  if (correlation.fields.size() > 1) {
    const std::optional<std::string> tuple = key_of(query, correlation.fields);
    if (!tuple) return {};
    entry.value = *tuple;
    return {entry};
  }
  std::vector<Entry> entries;
  for (const std::string& value : values_of(query, correlation.fields.front())) {
    entry.value.clear();
    if (correlation.type == Type::value_count) {
      entry.value = value;
    } else if (const std::optional<double> number = number_in(value); number && std::isfinite(*number)) {
      entry.number = *number;
    } else {
      continue;
    }
    entries.push_back(entry);
  }
  return entries;
}

void Correlator::enter(std::size_t index, std::size_t source, const Query& query, std::set<std::string>& entered) {
  const Correlation& correlation = plan_->correlations()[index];
  const std::optional<std::string> key = key_of(query, correlation.sources[source].group_by);
  const std::vector<Entry> entries = entries_of(correlation, source, query);
  if (!key || entries.empty()) return;
  State& state = states_[index];
  Group& group = group_of(state, *key, correlation.timespan);
  if (!group.entries.empty() && now_ - group.entries.back().time > correlation.timespan) group.held = false;
  forget_old(state, group, correlation.timespan);
  for (const Entry& entry : entries) {
    if (group.entries.size() >= limits_.max_entries) {
      forget_first(state, group);
      ++evictions_.entries;
    }
    add(state, group, entry, counts_distinct(correlation));
  }
  // This group has just had an event, so that it goes last; alone it loses its oldest entries.
  while (state.octets > limits_.max_octets && state.groups.size() > 1) {
    drop_oldest(state);
    ++evictions_.groups;
  }
  while (state.octets > limits_.max_octets && group.entries.size() > 1) {
    forget_first(state, group);
    ++evictions_.entries;
  }
  entered.insert(*key);
}

double Correlator::measure(const Correlation& correlation, const Group& group) {
  const auto size = static_cast<double>(group.entries.size());
  switch (correlation.type) {
    case Type::event_count:
      return size;
    case Type::value_count:
    case Type::temporal:
      return static_cast<double>(group.distinct.size());
    case Type::temporal_ordered:
      return sources_in_order(group.entries);
    case Type::value_sum:
      return sum_of(group.entries);
    case Type::value_avg:
      return sum_of(group.entries) / size;
    case Type::value_percentile:
      return percentile_of(group.entries, correlation.percentile);
  }
  return 0;
}

bool Correlator::begins_to_hold(std::size_t index, const std::string& key) {
  const Correlation& correlation = plan_->correlations()[index];
  const auto found = states_[index].groups.find(key);
  if (found == states_[index].groups.end()) return false;  // pushed out by another group of the same event
  Group& group = found->second;
  const double measured = measure(correlation, group);
  const bool holds_now =
      std::ranges::all_of(correlation.limits, [&](const auto& limit) { return holds(limit, measured); });
  return !std::exchange(group.held, holds_now) && holds_now;
}

void Correlator::apply(std::vector<Hit>& hits, const Query& query, Time time) {
  if (states_.empty()) return;
  now_ = std::max(now_, time);
  std::set<std::size_t> rules;
  for (const Hit& hit : hits) {
    if (hit.rule != nullptr) rules.insert(static_cast<std::size_t>(hit.rule - plan_->rules().data()));
  }
  std::erase_if(hits, [](const Hit& hit) { return hit.rule != nullptr && !hit.rule->alerts; });
  std::set<std::size_t> fired;
  // Correlations stand behind those they refer to.
  for (std::size_t index = 0; index < states_.size(); ++index) {
    const Correlation& correlation = plan_->correlations()[index];
    std::set<std::string> entered;
    for (std::size_t source = 0; source < correlation.sources.size(); ++source) {
      const Correlation::Source& named = correlation.sources[source];
      const bool is_event = std::ranges::any_of(named.rules, [&](std::size_t r) { return rules.contains(r); }) ||
                            std::ranges::any_of(named.correlations, [&](std::size_t c) { return fired.contains(c); });
      if (!is_event) continue;
      enter(index, source, query, entered);
      // One lookup is one event, however many of the rules it makes true; only temporal asks for each.
      const bool temporal = correlation.type == Type::temporal || correlation.type == Type::temporal_ordered;
      if (!temporal && !entered.empty()) break;
    }
    for (const std::string& key : entered) {
      if (begins_to_hold(index, key)) fired.insert(index);
    }
    if (fired.contains(index) && correlation.head.alerts) hits.push_back({&correlation.head, nullptr, {}, true});
  }
}

}  // namespace nslookout::match
