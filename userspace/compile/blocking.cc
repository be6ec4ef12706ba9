#include "compile/blocking.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/dns_name.h"
#include "base/level.h"
#include "bpf/abi.h"
#include "compile/plan.h"

namespace nslookout::compile {
namespace {

bool reaches(const BlockPolicy& policy, const std::string& level) {
  return policy.level != "none" && level_rank(level) >= level_rank(policy.level);
}

std::size_t count(const std::vector<BlockDecision>& decisions) {
  return static_cast<std::size_t>(std::ranges::count(decisions, BlockDecision::Kind::blocks, &BlockDecision::kind));
}

// A field that the kernel's table of names knows nothing about.
const sigma::Test* test_of_something_else(const sigma::Rule& rule) {
  const auto found =
      std::ranges::find_if(rule.tests, [](const sigma::Test& test) { return test.field != sigma::Field::query; });
  return found == rule.tests.end() ? nullptr : &*found;
}

}  // namespace

std::string why_not_blockable(const sigma::Rule& rule, const RulePlan& plan) {
  if (plan.reach == Reach::never) return "no lookup can make it true";
  if (plan.counts_response || !rule.alerts) return "it counts for a correlation, and one lookup alone says nothing";
  if (const sigma::Test* test = test_of_something_else(rule)) {
    return fmt::format("{}:{}:{}: the kernel cannot decide '{}'; a rule that blocks tests the name alone", rule.file,
                       test->place.line, test->place.column, test->key);
  }
  for (const Witness& witness : plan.witnesses) {
    if (label_count(witness.wire) <= NSL_WALK_LABELS) continue;
    return fmt::format("{} has more than the {} labels that the kernel tells apart", wire_to_presentation(witness.wire),
                       NSL_WALK_LABELS);
  }
  if (!plan.kernel_decides) {
    return "it is more than names and names below them (a text inside the name, a pattern or a negation), which the "
           "kernel can only narrow down";
  }
  return "";
}

BlockDecision decide_rule(const BlockPolicy& policy, const sigma::Rule& rule, const RulePlan& plan) {
  BlockDecision decision;
  decision.named = !rule.id.empty() && std::ranges::find(policy.rules, rule.id) != policy.rules.end();
  if (!decision.named && !reaches(policy, rule.level)) return decision;
  decision.reason = why_not_blockable(rule, plan);
  decision.kind = decision.reason.empty() ? BlockDecision::Kind::blocks : BlockDecision::Kind::refused;
  return decision;
}

bool names_list(std::string_view name, const lists::NameList& list) {
  constexpr std::string_view prefix = "list/";
  return name == list.id || name == std::string_view(list.id).substr(prefix.size());
}

DeepNames deep_names(const lists::NameList& list) {
  DeepNames deep;
  for (std::size_t i = 0; i < list.table.size(); ++i) {
    const lists::NameEntry entry = list.table.entry(i);
    if (label_count(entry.wire) <= NSL_WALK_LABELS) continue;
    if (entry.listed() && deep.listed++ == 0) deep.first_listed = wire_to_presentation(entry.wire);
    const bool allowed = entry.allow_exact || entry.allow_below;
    if (allowed && deep.excepted++ == 0) deep.first_excepted = wire_to_presentation(entry.wire);
  }
  return deep;
}

BlockDecision decide_list(const BlockPolicy& policy, const lists::NameList& list) {
  BlockDecision decision;
  decision.named = std::ranges::any_of(policy.lists, [&](const std::string& name) { return names_list(name, list); });
  if (decision.named || reaches(policy, list.level)) decision.kind = BlockDecision::Kind::blocks;
  return decision;
}

std::size_t Blocking::blocking_rules() const { return count(rules); }
std::size_t Blocking::blocking_lists() const { return count(lists); }

}  // namespace nslookout::compile
