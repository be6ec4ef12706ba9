#include "match/verifier.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/dns_name.h"

namespace nslookout::match {

Verifier::Verifier(const compile::Plan& plan) : plan_(&plan) {
  for (std::uint32_t rule = 0; rule < plan.rules().size(); ++rule) {
    const compile::RulePlan& rule_plan = plan.rule_plans()[rule];
    const bool by_name_alone = rule_plan.by_names_alone();
    if (rule_plan.reach == compile::Reach::every_query || !by_name_alone) any_query_.push_back(rule);
    if (!by_name_alone) continue;
    for (const compile::Witness& witness : rule_plan.witnesses) {
      if (witness.exact) exact_[witness.wire].push_back(rule);
      if (witness.below) below_[witness.wire].push_back(rule);
    }
  }
}

Verifier::RuleIndexes Verifier::candidates(const Query& query) const {
  RuleIndexes rules;
  if (query.wire().empty() || query.beyond_the_sensor()) {
    rules.resize(plan_->rules().size());
    std::iota(rules.begin(), rules.end(), 0U);
    return rules;
  }
  rules = any_query_;
  add_candidates(query.wire(), rules);
  for (const Query& other : query.read_otherwise()) add_candidates(other.wire(), rules);
  std::ranges::sort(rules);
  rules.erase(std::ranges::unique(rules).begin(), rules.end());
  return rules;
}

void Verifier::add_candidates(std::string_view wire, RuleIndexes& rules) const {
  const auto add = [&](const auto& index, std::string_view name) {
    const auto found = index.find(name);
    if (found != index.end()) rules.insert(rules.end(), found->second.begin(), found->second.end());
  };
  add(exact_, wire);
  while (wire[0] != '\0') {
    wire.remove_prefix(1 + static_cast<unsigned char>(wire[0]));
    add(below_, wire);
  }
}

void Verifier::add_list_hits(const Query& query, std::vector<Hit>& hits) const {
  if (query.wire().empty()) return;
  for (const lists::NameList& list : plan_->lists()) {
    lists::NameEntry entry = list.table.covering(query.wire());
    for (const Query& other : query.read_otherwise()) {
      if (entry.wire.empty()) entry = list.table.covering(other.wire());
    }
    if (entry.wire.empty()) continue;
    hits.push_back({nullptr, &list, {{"query", wire_to_presentation(entry.wire)}}});
  }
}

std::vector<Hit> Verifier::matches(const Query& query) const {
  std::vector<Hit> hits = matches_of(candidates(query), query);
  add_list_hits(query, hits);
  return hits;
}

std::vector<Hit> Verifier::matches_of(const RuleIndexes& rules, const Query& query) const {
  std::vector<Hit> hits;
  for (const std::uint32_t index : rules) {
    const sigma::Rule& rule = plan_->rules()[index];
    if (auto matched = evaluate(rule, query)) hits.push_back({&rule, nullptr, std::move(*matched)});
  }
  return hits;
}

EarlyHits Verifier::matches_before_response(const Query& query) const {
  EarlyHits early;
  RuleIndexes decided;
  for (const std::uint32_t index : candidates(query)) {
    const compile::RulePlan& rule_plan = plan_->rule_plans()[index];
    if (!rule_plan.reads_response) {
      decided.push_back(index);
      continue;
    }
    const EarlyVerdict verdict = evaluate_before_response(plan_->rules()[index], query);
    if (verdict == EarlyVerdict::false_) continue;
    const bool now = verdict == EarlyVerdict::true_ && !rule_plan.counts_response;
    (now ? decided : early.open).push_back(index);
  }
  early.hits = matches_of(decided, query);
  add_list_hits(query, early.hits);
  return early;
}

}  // namespace nslookout::match
