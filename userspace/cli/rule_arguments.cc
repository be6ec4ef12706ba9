#include "cli/rule_arguments.h"

#include <algorithm>

#include "base/log.h"
#include "cli/checks.h"

namespace nslookout::cli {
namespace {

constexpr std::size_t findings_shown = 20;

}  // namespace

sigma::RuleOptions RuleArguments::options() const {
  sigma::RuleOptions options;
  options.windows = product_windows;
  for (const std::string& expansion : expansions) {
    const std::size_t equals = expansion.find('=');
    const std::string name = expansion.substr(0, equals);
    auto found = std::ranges::find(options.expansions, name, &sigma::Expansion::name);
    if (found == options.expansions.end()) found = options.expansions.insert(found, {name, {}});
    found->values.push_back(expansion.substr(equals + 1));
  }
  return options;
}

void add_rule_arguments(CLI::App& command, RuleArguments& arguments) {
  command.add_flag("--product-windows", arguments.product_windows,
                   "Take rules about lookups on Windows (product: windows) for lookups here");
  command
      .add_option("--expand", arguments.expansions,
                  "What %NAME% stands for in values with the modifier expand; may be repeated, for NAME as well")
      ->check(check_assignment)
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

void add_search_suffixes(CLI::App& command, RuleArguments& arguments, const std::vector<std::string>& by_default) {
  arguments.search_suffixes = by_default;
  command
      .add_option(
          "--search-suffix", arguments.search_suffixes,
          "What resolvers append to names, so that NAME.SUFFIX counts as a lookup of NAME; *.SUFFIX: any one label "
          "before it too; auto: the search list of /etc/resolv.conf and, on a Kubernetes node, those of pods; "
          "none; may be repeated")
      ->check(check_search_suffix)
      ->type_name("SUFFIX")
      ->allow_extra_args(false)
      ->capture_default_str();
}

void add_max_names(CLI::App& command, RuleArguments& arguments) {
  command
      .add_option("--max-names", arguments.max_names,
                  "The most names that rules and lists may have together; more are refused")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->capture_default_str();
}

void add_keep_going(CLI::App& command, RuleArguments& arguments) {
  command.add_flag("--keep-going", arguments.keep_going,
                   "Leave out rules that are invalid instead of stopping at them");
}

void warn_of(const sigma::RuleSet& set) {
  std::size_t shown = 0;
  for (const sigma::Finding& finding : set.findings) {
    if (finding.kind == sigma::FindingKind::other_source) continue;
    if (++shown <= findings_shown) log::warning("{}", finding.text());
  }
  if (shown > findings_shown) {
    log::warning("and {} more; `nslookout check` shows them all", shown - findings_shown);
  }
}

}  // namespace nslookout::cli
