#include "agent/sources.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "agent/search_suffixes.h"
#include "base/log.h"
#include "base/text.h"
#include "sigma/load.h"

namespace nslookout::agent {

Result<std::vector<lists::NameList>> load_lists(const std::vector<std::string>& specs) {
  std::vector<lists::NameList> lists;
  for (const std::string& spec : specs) {
    Result<lists::NameList> list = lists::load_list(spec);
    if (!list) return fail(list.error());
    for (const std::string& warning : list->warnings) log::warning("{}", warning);
    if (!list->column.empty()) log::notice("{}: the names are those of the column {}", list->file, list->column);
    lists.push_back(std::move(*list));
  }
  return lists;
}

namespace {

// Nothing is left out silently: too many names are refused before the kernel is touched.
Result<void> check_name_count(const compile::Plan& plan, std::size_t max_names) {
  std::size_t of_lists = 0;
  for (const lists::NameList& list : plan.lists()) of_lists += list.table.size();
  std::size_t of_rules = 0;
  for (const compile::RulePlan& rule : plan.rule_plans()) of_rules += rule.witnesses.size();
  if (of_lists + of_rules <= max_names) return {};
  return fail(ErrorClass::invalid,
              "the lists have {} names and the rules {}, which is more than there may be ({}); give "
              "--max-names {} if the memory is there (about 100 octets a name), or fewer lists",
              of_lists, of_rules, max_names, of_lists + of_rules);
}

}  // namespace

Result<compile::Plan> load_plan(const std::vector<std::string>& rule_paths, const std::vector<std::string>& list_specs,
                                const RuleLoading& loading) {
  std::vector<sigma::Rule> rules;
  std::vector<sigma::Correlation> correlations;
  if (!rule_paths.empty()) {
    sigma::RuleSet set = sigma::load_rules(rule_paths, loading.options);
    if (const auto usable = set.usable(loading.keep_going); !usable) return fail(usable.error());
    for (const sigma::Finding& finding : set.findings) log::warning("{}", finding.text());
    rules = std::move(set.rules);
    correlations = std::move(set.correlations);
  }
  Result<std::vector<lists::NameList>> lists = load_lists(list_specs);
  if (!lists) return fail(lists.error());
  compile::Plan plan = compile::make_plan(std::move(rules), std::move(*lists), std::move(correlations));
  for (const std::string& warning : plan.warnings()) log::warning("{}", warning);
  if (const auto few_enough = check_name_count(plan, loading.max_names); !few_enough) return fail(few_enough.error());
  Result<std::vector<SearchSuffix>> suffixes = search_suffixes_of(loading.search_suffixes, resolver_files_of_host());
  if (!suffixes) return fail(suffixes.error());
  plan.set_search_suffixes(std::move(*suffixes));
  return plan;
}

namespace {

Result<void> check_named(const compile::Plan& plan, const compile::BlockPolicy& policy) {
  for (const std::string& id : policy.rules) {
    if (std::ranges::none_of(plan.rules(), [&](const sigma::Rule& rule) { return rule.id == id; })) {
      return fail(ErrorClass::invalid, "--block-rule {}: no rule that is loaded has this id", id);
    }
  }
  for (const std::string& id : policy.lists) {
    if (std::ranges::none_of(plan.lists(),
                             [&](const lists::NameList& list) { return compile::names_list(id, list); })) {
      return fail(ErrorClass::invalid, "--block-list {}: no list that is loaded has this file name", id);
    }
  }
  return {};
}

// The kernel's table has no room for the labels beyond the eighth.
void warn_of_deep_names(const compile::Plan& plan) {
  const auto allows_more = [](const lists::NameList& list, std::size_t count, const std::string& first) {
    if (count == 0) return;
    log::warning("{}: {} with more than {} labels allow{} every name below the last {} of them, the first: {}",
                 list.file, counted(count, "name"), NSL_WALK_LABELS, count == 1 ? "s" : "", NSL_WALK_LABELS, first);
  };
  for (std::size_t i = 0; i < plan.lists().size(); ++i) {
    const lists::NameList& list = plan.lists()[i];
    const compile::DeepNames deep = compile::deep_names(list);
    allows_more(list, deep.excepted, deep.first_excepted);
    if (deep.listed == 0 || plan.blocking().lists[i].kind != compile::BlockDecision::Kind::blocks) continue;
    log::warning("{}: {} with more than {} labels {} not blocked, only reported, the first: {}", list.file,
                 counted(deep.listed, "name"), NSL_WALK_LABELS, deep.listed == 1 ? "is" : "are", deep.first_listed);
  }
  for (const lists::NameList& list : plan.blocking().allowed) {
    const compile::DeepNames deep = compile::deep_names(list);
    allows_more(list, deep.listed, deep.first_listed);
  }
}

}  // namespace

Result<void> set_blocking(compile::Plan& plan, const BlockOptions& options) {
  if (const auto known = check_named(plan, options.policy); !known) return known;
  Result<std::vector<lists::NameList>> allowed = load_lists(options.allow);
  if (!allowed) return fail(allowed.error());
  Result<std::vector<lists::NameList>> only = load_lists(options.allow_only);
  if (!only) return fail(only.error());
  std::ranges::move(*only, std::back_inserter(*allowed));
  plan.set_blocking(options.policy, std::move(*allowed), !options.allow_only.empty());
  warn_of_deep_names(plan);
  for (std::size_t i = 0; i < plan.rules().size(); ++i) {
    const compile::BlockDecision& decision = plan.blocking().rules[i];
    if (decision.kind != compile::BlockDecision::Kind::refused) continue;
    const sigma::Rule& rule = plan.rules()[i];
    const std::string text = fmt::format("{}:{}:{}: '{}' cannot block: {}", rule.file, rule.place.line,
                                         rule.place.column, rule.title, decision.reason);
    if (decision.named) return fail(ErrorClass::invalid, "{}", text);
    log::warning("{}; it alerts", text);
  }
  return {};
}

namespace {

using Sinks = std::vector<std::unique_ptr<sink::Sink>>;

Result<Sinks> open_all(const std::vector<std::string>& specs,
                       Result<std::unique_ptr<sink::Sink>> (*open)(std::string_view spec)) {
  Sinks sinks;
  for (const std::string& spec : specs) {
    auto sink = open(spec);
    if (!sink) return fail(sink.error());
    sinks.push_back(std::move(*sink));
  }
  return sinks;
}

}  // namespace

Result<Sinks> open_sinks(const std::vector<std::string>& specs) { return open_all(specs, sink::open_sink); }

Result<Sinks> open_queued_sinks(const std::vector<std::string>& specs) {
  return open_all(specs, sink::open_queued_sink);
}

}  // namespace nslookout::agent
