#include "agent/sources.h"

#include "base/log.h"
#include "lists/name_list.h"
#include "sigma/load.h"

namespace nslookout::agent {

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
  return compile::make_plan(std::move(rules), std::move(lists), std::move(correlations));
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
