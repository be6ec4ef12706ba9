#include "compile/plan.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/dns_name.h"
#include "base/idna.h"
#include "base/public_suffix.h"
#include "base/text.h"

namespace nslookout::compile {
namespace {

void unite_equal_names(std::vector<Witness>& names) {
  std::ranges::sort(names, {}, &Witness::wire);
  std::vector<Witness> united;
  united.reserve(names.size());
  for (Witness& name : names) {
    if (united.empty() || united.back().wire != name.wire) {
      united.push_back(std::move(name));
    } else {
      united.back().exact |= name.exact;
      united.back().below |= name.below;
    }
  }
  names = std::move(united);
}

template <typename Item>
void keep_each_once(std::vector<Item>& items) {
  std::ranges::sort(items);
  items.erase(std::ranges::unique(items).begin(), items.end());
}

// "3 names and names with one of 2 texts in them"
std::string what_is_let_out(const RulePlan& plan) {
  std::vector<std::string> parts;
  if (!plan.witnesses.empty()) parts.push_back(counted(plan.witnesses.size(), "name"));
  if (plan.texts.size() == 1) parts.emplace_back("names with a text in them");
  if (plan.texts.size() > 1) parts.push_back(fmt::format("names with one of {} texts in them", plan.texts.size()));
  if (!plan.record_types.empty()) parts.push_back(counted(plan.record_types.size(), "record type"));
  if (!plan.flags.empty()) parts.emplace_back("messages with some flags in their header");
  return fmt::format("{}", fmt::join(parts, " and "));
}

void explain(RulePlan& plan, const WitnessSet& set) {
  switch (plan.reach) {
    case Reach::never:
      plan.kernel = "lets nothing out for this rule: no lookup can make it true";
      plan.verifier = "has nothing to do";
      return;
    case Reach::every_query:
      plan.kernel = fmt::format("lets every lookup out, because {}", set.unknown_because);
      plan.verifier = "decides the whole rule for every lookup";
      return;
    case Reach::by_name:
      break;
  }
  plan.kernel = fmt::format("lets out the lookups of {}", what_is_let_out(plan));
  plan.verifier = plan.kernel_decides ? "has nothing left to decide: the names are the rule"
                                      : "decides the whole rule for these lookups";
}

void note_broad_names(RulePlan& plan) {
  std::vector<std::string> top_level;
  std::vector<std::string> suffixes;
  for (const Witness& witness : plan.witnesses) {
    if (!witness.below) continue;
    std::string name = wire_to_presentation(witness.wire);
    if (label_count(witness.wire) == 1) {
      top_level.push_back(std::move(name));
    } else if (is_suffix_of_registry(name)) {
      suffixes.push_back(std::move(name));
    }
  }
  const auto note = [&](const std::vector<std::string>& names, const char* one, const char* many) {
    if (names.empty()) return;
    plan.notes.push_back(fmt::format("every lookup below the {} {} leaves the kernel", names.size() == 1 ? one : many,
                                     fmt::join(names, ", ")));
  };
  note(top_level, "top-level domain", "top-level domains");
  note(suffixes, "public suffix", "public suffixes");
}

// What people expect of a name that a regular expression does not see. The first value of each kind stands for the others.
void note_regexes(RulePlan& plan, const sigma::Rule& rule) {
  const auto note = [&](auto concerns, std::string_view what) {
    for (const sigma::Test& test : rule.tests) {
      if (!sigma::is_name(test.field)) continue;
      const auto found = std::ranges::find_if(
          test.values, [&](const sigma::Value& value) { return value.regex && concerns(*value.regex); });
      if (found == test.values.end()) continue;
      plan.notes.push_back(fmt::format("{}:{}: '{}' {}", found->place.line, found->place.column, found->source, what));
      return;
    }
  };
  note([](const sigma::Regex& regex) { return regex.tells_cases(); },
       "tells upper from lower case, and sees a name as it was sent: one sent in other case is not found; the modifier "
       "i behind re finds it");
  note([](const sigma::Regex& regex) { return !is_ascii(regex.source()); },
       "has letters outside ASCII, which are in no name: names are looked up in their xn-- form");
}

RulePlan plan_rule(const sigma::Rule& rule) {
  RulePlan plan;
  WitnessSet set = find_witnesses(rule, plan.notes);
  plan.kernel_decides = set.known && set.is_the_rule;
  if (!set.known) {
    plan.reach = Reach::every_query;
  } else {
    plan.reach = set.empty() ? Reach::never : Reach::by_name;
    plan.texts = std::move(set.texts);
    keep_each_once(plan.texts);
    plan.record_types = std::move(set.record_types);
    keep_each_once(plan.record_types);
    plan.flags = set.flags;
    plan.witnesses = std::move(set.names);
    unite_equal_names(plan.witnesses);
  }
  plan.reads_response = std::ranges::any_of(rule.tests, sigma::reads_response) && plan.reach != Reach::never;
  plan.firing = firing_of(rule);
  if (plan.reach == Reach::never && plan.firing.firing != Firing::never) {
    plan.firing = {Firing::never, plan.notes.empty() ? "no lookup can make it true" : plan.notes.front()};
  }
  explain(plan, set);
  note_broad_names(plan);
  note_regexes(plan, rule);
  return plan;
}

// A text at the end of a name is, in a name with a search suffix, before that.
void add_texts_before(const std::vector<SearchSuffix>& suffixes, std::vector<NameText>& texts) {
  std::vector<NameText> added;
  for (const NameText& text : texts) {
    if (!text.at_end) continue;
    for (const SearchSuffix& suffix : suffixes) {
      const std::string behind = suffix.any_label ? "" : wire_to_presentation(suffix.wire);
      added.push_back({text.text + "." + behind, text.at_start, !suffix.any_label});
    }
  }
  std::ranges::move(added, std::back_inserter(texts));
}

void explain_waiting(RulePlan& plan) {
  if (plan.reach == Reach::never) return;
  constexpr std::string_view every = "lets every lookup out";
  if (plan.kernel.starts_with(every)) {
    plan.kernel.replace(0, every.size(), "lets every lookup and its response out");
  } else {
    plan.kernel += ", and their responses";
  }
  if (plan.counts_response) plan.verifier += "; the event comes with the response, which a correlation reads";
}

}  // namespace

Plan::Plan(std::vector<sigma::Rule> rules, std::vector<lists::NameList> lists,
           std::vector<sigma::Correlation> correlations)
    : rules_(std::move(rules)), lists_(std::move(lists)), correlations_(std::move(correlations)) {
  rule_plans_.reserve(rules_.size());
  for (const sigma::Rule& rule : rules_) {
    rule_plans_.push_back(plan_rule(rule));
    every_query_ = every_query_ || rule_plans_.back().reach == Reach::every_query;
  }
  find_correlations_out_of_reach();
  find_rules_that_wait();
}

void Plan::find_correlations_out_of_reach() {
  bool found = false;
  const auto fires = [this](std::size_t rule) { return rule_plans_[rule].firing.firing != Firing::never; };
  // Sources come before what is made of them.
  for (sigma::Correlation& correlation : correlations_) {
    if (!correlation.never.empty()) continue;
    std::vector<bool> live;
    for (const sigma::Correlation::Source& source : correlation.sources) {
      live.push_back(std::ranges::any_of(source.rules, fires) ||
                     std::ranges::any_of(source.correlations,
                                         [this](std::size_t inner) { return correlations_[inner].never.empty(); }));
    }
    correlation.never = sigma::why_out_of_reach(correlation, live);
    if (correlation.never.empty()) continue;
    correlation.out_of_reach = true;
    found = true;
    const sigma::Rule& head = correlation.head;
    warnings_.push_back(fmt::format("{}:{}:{}: the correlation never fires: {}; its rules alert by themselves",
                                    head.file, head.place.line, head.place.column, correlation.never));
  }
  if (found) sigma::silence_rules(correlations_, rules_);
}

void Plan::find_rules_that_wait() {
  std::vector<bool> reading;
  reading.reserve(correlations_.size());
  for (const sigma::Correlation& correlation : correlations_) {
    reading.push_back(sigma::reads_field(correlation, sigma::is_response));
  }
  // Sources come before what is made of them, so that from the last one on each is seen after all that read it.
  for (std::size_t i = correlations_.size(); i-- > 0;) {
    if (!reading[i]) continue;
    for (const sigma::Correlation::Source& source : correlations_[i].sources) {
      for (const std::size_t inner : source.correlations) reading[inner] = true;
      for (const std::size_t rule : source.rules) rule_plans_[rule].counts_response = true;
    }
  }
  for (RulePlan& plan : rule_plans_) {
    plan.reads_response = plan.reads_response || plan.counts_response;
    if (plan.reads_response) explain_waiting(plan);
  }
}

bool Plan::reads_response() const { return std::ranges::any_of(rule_plans_, &RulePlan::reads_response); }

namespace {

// The reasons for which a query leaves that some rule needs the response of. The kernel asks no further once it has one
// reason, so the names alone can be told from the others.
std::uint32_t awaited_reasons(const std::vector<RulePlan>& plans) {
  std::uint32_t reasons = 0;
  for (const RulePlan& plan : plans) {
    if (!plan.reads_response) continue;
    const bool by_name_alone = plan.reach == Reach::by_name && plan.by_names_alone();
    reasons |= by_name_alone ? NSL_REASON_NAME : ~0U;
  }
  return reasons;
}

}  // namespace

void Plan::set_blocking(const BlockPolicy& policy, std::vector<lists::NameList> allowed, bool only_allowed) {
  blocking_ = {};
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    blocking_.rules.push_back(decide_rule(policy, rules_[i], rule_plans_[i]));
  }
  for (const lists::NameList& list : lists_) blocking_.lists.push_back(decide_list(policy, list));
  blocking_.allowed = std::move(allowed);
  blocking_.only_allowed = only_allowed;
}

KernelPredicates Plan::predicates() const {
  const auto blocks = [](const std::vector<BlockDecision>& decisions, std::size_t i) {
    return i < decisions.size() && decisions[i].kind == BlockDecision::Kind::blocks;
  };
  KernelPredicates predicates;
  predicates.block_unlisted = blocking_.only_allowed;
  predicates.every_query = every_query_;
  predicates.awaited = awaited_reasons(rule_plans_);
  std::vector<KernelName>& names = predicates.names;
  std::unordered_map<std::string_view, std::size_t> known;
  for (std::size_t i = 0; i < rule_plans_.size(); ++i) {
    const RulePlan& plan = rule_plans_[i];
    for (const Witness& witness : plan.witnesses) {
      const auto [at, added] = known.try_emplace(witness.wire, names.size());
      if (added) names.push_back({witness.wire, false, false});
      KernelName& name = names[at->second];
      name.exact |= witness.exact;
      name.below |= witness.below;
      if (!blocks(blocking_.rules, i)) continue;
      name.verdict |= (witness.exact ? NSL_NAME_BLOCK_EXACT : 0U) | (witness.below ? NSL_NAME_BLOCK_BELOW : 0U);
    }
    std::ranges::copy(plan.texts, std::back_inserter(predicates.texts));
    std::ranges::copy(plan.record_types, std::back_inserter(predicates.record_types));
    predicates.flags.unite(plan.flags);
  }
  for (const SearchSuffix& suffix : search_suffixes_) {
    names.push_back({suffix.wire, false, false, suffix.any_label ? NSL_NAME_SEARCH_ANY : NSL_NAME_SEARCH});
  }
  add_texts_before(search_suffixes_, predicates.texts);
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    const lists::NameTable* names_of_list = &lists_[i].table;
    predicates.lists.push_back(names_of_list);
    if (blocks(blocking_.lists, i)) predicates.blocking_lists.push_back(names_of_list);
    if (!blocking_.lists.empty()) predicates.excepting_lists.push_back(names_of_list);
  }
  for (const lists::NameList& list : blocking_.allowed) predicates.allowing_lists.push_back(&list.table);
  return predicates;
}

}  // namespace nslookout::compile
