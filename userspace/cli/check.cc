#include <vector>

#include "cli/check_report.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/rule_arguments.h"
#include "sigma/load.h"

namespace nslookout::cli {
namespace {

struct CheckArguments {
  std::vector<std::string> paths;
  RuleArguments rules;
  std::string format = "text";
};

std::string report_of(const std::string& format, const sigma::RuleSet& set, const compile::Plan& plan) {
  if (format == "json") return check_json(set, plan);
  return format == "sarif" ? check_sarif(set, plan) : check_text(set, plan);
}

int check(const CheckArguments& arguments) {
  const auto set = sigma::load_rules(arguments.paths, arguments.rules.options());
  const auto plan = compile::make_plan(set.rules, {}, set.correlations);
  const auto printed = print(report_of(arguments.format, set, plan));
  if (!printed) return report(printed.error());
  const auto usable = set.usable();
  return usable ? exit_ok : report(usable.error());
}

}  // namespace

void add_check(CLI::App& app, Command& chosen) {
  auto* command =
      app.add_subcommand("check", "Say of each Sigma rule whether it is valid and can fire, and where it is not");
  const auto arguments = std::make_shared<CheckArguments>();
  command->add_option("PATH", arguments->paths, "A rule file, or a directory of them")
      ->required()
      ->check(check_not_empty)
      ->type_name("");
  command->add_option("--format", arguments->format, "text, for people, json, or sarif for code scanning")
      ->check(CLI::IsMember({"text", "json", "sarif"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  add_rule_arguments(*command, arguments->rules);
  command->footer(
      "Exit code 3 when a rule is invalid or none is left; rules about other log sources are only "
      "counted.\n\nExample:\n  nslookout check rules/");
  command->callback([&chosen, arguments] { chosen = [arguments] { return check(*arguments); }; });
}

}  // namespace nslookout::cli
