#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/diff_report.h"
#include "cli/event_options.h"
#include "cli/observed.h"
#include "cli/report.h"

namespace nslookout::cli {
namespace {

constexpr int exit_new = 1;

struct DiffArguments {
  std::string before, after;
  std::string format = "text";
  std::string fail_on;
};

int diff(const DiffArguments& arguments) {
  if (arguments.before == "-" && arguments.after == "-") {
    return report({ErrorClass::usage, "only one of the two can be read from standard input"});
  }
  inventory::Inventory before;
  inventory::Inventory after;
  if (const auto added = add_observed(arguments.before, WallTime::min(), before); !added) return report(added.error());
  if (const auto added = add_observed(arguments.after, WallTime::min(), after); !added) return report(added.error());
  const Difference fresh = difference(after, before);
  const Difference vanished = difference(before, after);
  const int printed = finish_with(arguments.format == "json" ? diff_json(fresh, vanished) : diff_text(fresh, vanished));
  if (printed != exit_ok) return printed;
  return arguments.fail_on == "new" && !fresh.empty() ? exit_new : exit_ok;
}

}  // namespace

void add_diff(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand("diff", "Compare what two runs looked up: new names, processes and packages");
  const auto arguments = std::make_shared<DiffArguments>();
  command->add_option("A", arguments->before, "Before: a file of events (JSON lines or protobuf) or a history")
      ->required()
      ->check(check_not_empty)
      ->type_name("");
  command->add_option("B", arguments->after, "After: the same; - is stdin")
      ->required()
      ->check(check_not_empty)
      ->type_name("");
  add_format_option(*command, arguments->format);
  command->add_option("--fail-on", arguments->fail_on, "new: exit code 1 when B has something that A has not")
      ->check(CLI::IsMember({"new"}))
      ->type_name("WHAT");
  command->footer(
      "Exit code 0 whatever the difference, unless --fail-on is given.\n\nExample:\n  nslookout diff yesterday.jsonl "
      "today.jsonl");
  command->callback([&chosen, arguments] { chosen = [arguments] { return diff(*arguments); }; });
}

}  // namespace nslookout::cli
