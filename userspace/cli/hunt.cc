#include <algorithm>
#include <chrono>
#include <optional>

#include "agent/past_rules.h"
#include "agent/sources.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/event_options.h"
#include "cli/hunt_report.h"
#include "cli/observed.h"
#include "cli/report.h"
#include "cli/rule_arguments.h"

namespace nslookout::cli {
namespace {

constexpr int exit_found = 1;
constexpr std::size_t output_chunk = 64U << 10;

struct HuntArguments {
  std::vector<std::string> rules, lists;
  std::vector<std::string> files;  // of events; none: the history
  std::string history = history::default_path;
  std::string since;
  std::string format = "text";
  bool fail_on_match = false;
  RuleArguments rule_arguments;
};

// What is told of lookups that rules match, and when there is enough of it, printed.
class Hunt {
 public:
  Hunt(const compile::Plan& plan, const HuntArguments& arguments) : rules_(plan), json_(arguments.format == "json") {}

  [[nodiscard]] std::vector<event::Rule> rules_of(const event::Event& event) { return rules_.of(event); }

  Result<void> tell(const inventory::Lookup& lookup) {
    found_ = true;
    text_ += json_ ? hunt_json(lookup) : hunt_text(lookup);
    return text_.size() < output_chunk ? Result<void>{} : flush();
  }

  Result<void> flush() {
    auto printed = print(text_);
    text_.clear();
    return printed;
  }

  [[nodiscard]] bool found() const { return found_; }
  [[nodiscard]] std::uint64_t unreadable() const { return rules_.unreadable(); }

 private:
  agent::PastRules rules_;
  bool json_;
  bool found_ = false;
  std::string text_;
};

Result<void> hunt_history(const std::string& path, WallTime since, Hunt& hunt) {
  return visit_history(path, since, [&](const inventory::Lookup& kept) -> Result<void> {
    inventory::Lookup lookup = kept;
    lookup.rules = hunt.rules_of(lookup.event);
    return lookup.rules.empty() ? Result<void>{} : hunt.tell(lookup);
  });
}

// Each event is looked at, not only the first of a lookup; what matches is told as lookups.
Result<void> hunt_events(const std::vector<std::string>& paths, WallTime since, Hunt& hunt) {
  inventory::Inventory found;
  for (const std::string& path : paths) {
    const auto visited = visit_events(path, since, [&](const event::Event& event) -> Result<void> {
      if (!event.dns || !inventory::is_lookup(event)) return {};
      event::Event match = event;
      match.rules = hunt.rules_of(event);
      if (!match.rules.empty()) found.add(match);
      return {};
    });
    if (!visited) return visited;
  }
  if (found.left_out() > 0) {
    log::warning("{} more that match are not shown: there are more than {} different ones",
                 counted(found.left_out(), "lookup"), inventory::default_limit);
  }
  for (const auto& [key, lookup] : found.lookups()) {
    if (const auto told = hunt.tell(lookup); !told) return told;
  }
  return {};
}

Result<compile::Plan> load(const HuntArguments& arguments) {
  if (arguments.rules.empty() && arguments.lists.empty()) {
    return fail(ErrorClass::usage, "there is nothing to hunt for: give --rules PATH or --list SPEC");
  }
  auto plan = agent::load_plan(arguments.rules, arguments.lists,
                               {arguments.rule_arguments.options(), arguments.rule_arguments.keep_going,
                                arguments.rule_arguments.max_names, arguments.rule_arguments.search_suffixes});
  if (plan && !plan->correlations().empty()) {
    log::warning(
        "{} not hunted: a history has each lookup once, not the times of all; rules that serve correlations "
        "alone are left out with them",
        plan->correlations().size() == 1 ? std::string("1 correlation is")
                                         : fmt::format("{} are", counted(plan->correlations().size(), "correlation")));
  }
  return plan;
}

// A history that is named by --history or among the files is streamed; all else is grouped.
Result<void> hunt_all(const HuntArguments& arguments, WallTime since, Hunt& hunt) {
  std::vector<std::string> events;
  for (const std::string& path : arguments.files) {
    if (!history::is_database(path)) {
      events.push_back(path);
    } else if (auto hunted = hunt_history(path, since, hunt); !hunted) {
      return hunted;
    }
  }
  if (!events.empty()) return hunt_events(events, since, hunt);
  return arguments.files.empty() ? hunt_history(arguments.history, since, hunt) : Result<void>{};
}

int run_hunt(const HuntArguments& arguments) {
  const auto plan = load(arguments);
  if (!plan) return report(plan.error());
  const WallTime since =
      arguments.since.empty() ? WallTime::min() : std::chrono::system_clock::now() - duration_of(arguments.since);
  Hunt hunt(*plan, arguments);
  auto hunted = hunt_all(arguments, since, hunt);
  if (auto flushed = hunt.flush(); hunted && !flushed) hunted = flushed;
  if (hunt.unreadable() > 0)
    log::warning("{} without a name that can be looked up", counted(hunt.unreadable(), "event"));
  if (!hunted) return report(hunted.error());
  return hunt.found() && arguments.fail_on_match ? exit_found : exit_ok;
}

void add_places(CLI::App& command, HuntArguments& arguments) {
  auto* history = command.add_option("--history", arguments.history, "What `run --history` wrote")
                      ->check(check_not_empty)
                      ->type_name("FILE")
                      ->capture_default_str();
  command.add_option("FILE", arguments.files, "Files of events (JSON lines or protobuf) or histories instead")
      ->check(check_not_empty)
      ->type_name("")
      ->excludes(history);
  command.add_option("--since", arguments.since, "Only lookups seen in the last 90s, 30m, 24h, 7d, 2w")
      ->check(check_duration)
      ->type_name("TIME");
}

}  // namespace

void add_hunt(CLI::App& app, Command& chosen) {
  auto* command =
      app.add_subcommand("hunt", "Hold new rules against lookups of the past: a history, or files of events");
  const auto arguments = std::make_shared<HuntArguments>();
  add_rules_and_lists(*command, arguments->rules, arguments->lists);
  add_rule_arguments(*command, arguments->rule_arguments);
  add_keep_going(*command, arguments->rule_arguments);
  add_max_names(*command, arguments->rule_arguments);
  add_search_suffixes(*command, arguments->rule_arguments, {"auto"});
  add_places(*command, *arguments);
  command->add_option("--format", arguments->format, "text, for people, or json, one line a lookup")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  command->add_flag("--fail-on-match", arguments->fail_on_match, "Exit code 1 when a rule or list matches");
  command->footer(
      "Exit code 0 whether or not a rule matches, unless --fail-on-match is given.\n\nExample:\n  nslookout hunt "
      "--rules new-rules/ --since 24h");
  command->callback([&chosen, arguments] { chosen = [arguments] { return run_hunt(*arguments); }; });
}

}  // namespace nslookout::cli
