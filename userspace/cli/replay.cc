#include "agent/replay.h"

#include "base/log.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/event_options.h"
#include "cli/progress.h"
#include "cli/replay_report.h"
#include "cli/report.h"
#include "cli/rule_arguments.h"

namespace nslookout::cli {
namespace {

Result<void> check_together(const agent::ReplayOptions& options) {
  if (auto something = check_something_to_report(options.rules, options.lists, options.observe); !something) {
    return something;
  }
  return check_ports(options.ports);
}

int replay_capture(const agent::ReplayOptions& options) {
  if (const auto checked = check_together(options); !checked) return report(checked.error());
  const auto outcome = with_progress(options.file, [&] { return agent::replay(options); });
  if (!outcome) return report(outcome.error());
  for (const std::string& line : replay_summary(options.file, *outcome)) log::notice("{}", line);
  const auto verdict = replay_verdict(options.file, *outcome);
  return verdict ? exit_ok : report(verdict.error());
}

}  // namespace

void add_replay(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand("replay", "Report the lookups in a capture (pcap or pcapng) that match");
  const auto options = std::make_shared<agent::ReplayOptions>();
  const auto rules = std::make_shared<RuleArguments>();
  command->add_option("FILE", options->file, "The capture; - is stdin")
      ->required()
      ->check(check_not_empty)
      ->type_name("");
  add_rules_and_lists(*command, options->rules, options->lists);
  add_rule_arguments(*command, *rules);
  add_keep_going(*command, *rules);
  add_max_names(*command, *rules);
  add_search_suffixes(*command, *rules, {"none"});
  add_observe_option(*command, options->observe, "unique: each name once");
  add_responses_option(*command, options->responses);
  add_port_option(*command, options->ports);
  add_output_option(*command, options->outputs);
  command->footer(
      "Ends with a summary on stderr: what was read, and what was not looked at and why. Exit code 3 when the capture "
      "is damaged or cut off; what comes before the damage is reported.\n\nExample:\n  nslookout replay lookups.pcap "
      "--rules rules/ --output jsonl:events.jsonl");
  command->callback([&chosen, options, rules] {
    chosen = [options, rules] {
      options->rule_loading = {rules->options(), rules->keep_going, rules->max_names, rules->search_suffixes};
      return replay_capture(*options);
    };
  });
}

}  // namespace nslookout::cli
