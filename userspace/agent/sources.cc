#include "agent/sources.h"

#include "agent/search_suffixes.h"
#include "base/log.h"
#include "lists/name_list.h"
#include "sigma/load.h"

namespace nslookout::agent {

namespace {

// Nothing is left out silently: too many names are refused before the kernel is touched.
Result<void> check_name_count(const compile::Plan& plan, std::size_t max_names) {
  std::size_t of_lists = 0;
  for (const lists::NameList& list : plan.lists()) of_lists += list.table.size();
  std::size_t of_rules = 0;
  for (const compile::RulePlan& rule : plan.rule_plans()) of_rules += rule.witnesses.size();
  if (of_lists + of_rules <= max_names) return {};
  return fail(
      ErrorClass::invalid,
      "the lists have {} names and the rules {}, which is more than the kernel's tables are made for ({}); give "
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
  std::vector<lists::NameList> lists;
  for (const std::string& spec : list_specs) {
    Result<lists::NameList> list = lists::load_list(spec);
    if (!list) return fail(list.error());
    for (const std::string& warning : list->warnings) log::warning("{}", warning);
    lists.push_back(std::move(*list));
  }
  compile::Plan plan = compile::make_plan(std::move(rules), std::move(lists), std::move(correlations));
  if (const auto few_enough = check_name_count(plan, loading.max_names); !few_enough) return fail(few_enough.error());
  Result<std::vector<SearchSuffix>> suffixes = search_suffixes_of(loading.search_suffixes, resolver_files_of_host());
  if (!suffixes) return fail(suffixes.error());
  plan.set_search_suffixes(std::move(*suffixes));
  return plan;
}

Result<std::vector<std::unique_ptr<sink::Sink>>> open_sinks(const std::vector<std::string>& specs) {
  std::vector<std::unique_ptr<sink::Sink>> sinks;
  for (const std::string& spec : specs) {
    auto sink = sink::open_sink(spec);
    if (!sink) return fail(sink.error());
    sinks.push_back(std::move(*sink));
  }
  return sinks;
}

}  // namespace nslookout::agent
