#include <vector>

#include "cli/check_report.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "sigma/load.h"

namespace nslookout::cli {
namespace {

struct CheckArguments {
  std::vector<std::string> paths;
  std::string format = "text";
};

int check(const CheckArguments& arguments) {
  const auto set = sigma::load_rules(arguments.paths);
  const auto plan = compile::make_plan(set.rules, {});
  const auto printed = print(arguments.format == "json" ? check_json(set, plan) : check_text(set, plan));
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
  command->add_option("--format", arguments->format, "text, for people, or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  command->footer(
      "Exit code 3 when a rule is invalid or none is left; rules about other log sources are only "
      "counted.\n\nExample:\n  nslookout check rules/");
  command->callback([&chosen, arguments] { chosen = [arguments] { return check(*arguments); }; });
}

}  // namespace nslookout::cli
