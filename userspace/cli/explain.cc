#include <vector>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/event_options.h"
#include "cli/explain_report.h"
#include "cli/report.h"
#include "cli/rule_arguments.h"
#include "sigma/load.h"

namespace nslookout::cli {
namespace {

struct ExplainArguments {
  std::vector<std::string> paths;
  RuleArguments rules;
  std::string format = "text";
};

int explain(const ExplainArguments& arguments) {
  const auto set = sigma::load_rules(arguments.paths, arguments.rules.options());
  const auto usable = set.usable();
  const auto plan = compile::make_plan(set.rules, {}, set.correlations);
  const auto printed = print(arguments.format == "json" ? explain_json(set, plan) : explain_text(set, plan));
  if (!printed) return report(printed.error());
  return usable ? exit_ok : report(usable.error());
}

}  // namespace

void add_explain(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand(
      "explain", "Show what the kernel decides of each Sigma rule, and what is left to the verifier");
  const auto arguments = std::make_shared<ExplainArguments>();
  command->add_option("PATH", arguments->paths, "A rule file, or a directory of them")
      ->required()
      ->check(check_not_empty)
      ->type_name("");
  add_format_option(*command, arguments->format);
  add_rule_arguments(*command, arguments->rules);
  command->footer(
      "Exit code 3 when a rule is invalid or none is left; the valid ones are explained all the same.\n\n"
      "Example:\n  nslookout explain rules/");
  command->callback([&chosen, arguments] { chosen = [arguments] { return explain(*arguments); }; });
}

}  // namespace nslookout::cli
