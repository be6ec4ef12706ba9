#include "agent/selftest.h"

#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/event_options.h"
#include "cli/report.h"
#include "cli/rule_arguments.h"

namespace nslookout::cli {
namespace {

using Kind = agent::RuleOutcome::Kind;

struct SelftestArguments {
  agent::SelftestOptions options;
  RuleArguments rules;
  std::string format = "text";
};

const char* word(Kind kind) {
  if (kind == Kind::fired) return "fired";
  return kind == Kind::silent ? "did not fire" : "not tested";
}

std::string text_of(const agent::SelftestReport& selftest) {
  std::string text;
  for (const agent::RuleOutcome& rule : selftest.rules) {
    text += fmt::format("{:<12}  {}", word(rule.kind), escape_controls(rule.title));
    if (!rule.id.empty() && rule.id != rule.title) text += fmt::format("  [{}]", escape_controls(rule.id));
    text += fmt::format("  {}", escape_controls(rule.file));
    if (!rule.name.empty()) text += fmt::format("  ({} {})", rule.name, rule.record_type);
    text += "\n";
    if (!rule.reason.empty()) text += fmt::format("{:<12}  {}\n", "", escape_controls(rule.reason));
  }
  return text + fmt::format("backend {}: {} fired, {} did not fire, {} not tested\n", selftest.backend,
                            selftest.count(Kind::fired), selftest.count(Kind::silent),
                            selftest.count(Kind::not_tested));
}

std::string json_of(const agent::SelftestReport& selftest) {
  nlohmann::ordered_json json;
  json["backend"] = selftest.backend;
  json["fired"] = selftest.count(Kind::fired);
  json["did_not_fire"] = selftest.count(Kind::silent);
  json["not_tested"] = selftest.count(Kind::not_tested);
  json["rules"] = nlohmann::ordered_json::array();
  for (const agent::RuleOutcome& rule : selftest.rules) {
    json["rules"].push_back({{"id", rule.id},
                             {"title", rule.title},
                             {"file", rule.file},
                             {"outcome", word(rule.kind)},
                             {"name", rule.name},
                             {"record_type", rule.record_type},
                             {"reason", rule.reason}});
  }
  return ascii_json(json) + "\n";
}

int selftest(const SelftestArguments& arguments) {
  if (const auto something = check_something_to_report(arguments.options.rules, arguments.options.lists, "matches");
      !something) {
    return report(something.error());
  }
  agent::SelftestOptions options = arguments.options;
  options.rule_loading = {arguments.rules.options(), arguments.rules.keep_going, arguments.rules.max_names, {"none"}};
  const auto outcome = agent::selftest(options);
  if (!outcome) return report(outcome.error());
  if (const auto printed = print(arguments.format == "json" ? json_of(*outcome) : text_of(*outcome)); !printed) {
    return report(printed.error());
  }
  const std::size_t silent = outcome->count(Kind::silent);
  if (silent == 0) return exit_ok;
  return report(
      {ErrorClass::runtime, fmt::format("{} did not fire; stdout says which and why", counted(silent, "rule"))});
}

}  // namespace

void add_selftest(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand(
      "selftest", "Send a harmless lookup for each rule through the kernel, and say which rules do not fire here");
  const auto arguments = std::make_shared<SelftestArguments>();
  add_rules_and_lists(*command, arguments->options.rules, arguments->options.lists);
  add_rule_arguments(*command, arguments->rules);
  add_keep_going(*command, arguments->rules);
  add_max_names(*command, arguments->rules);
  command->add_option("--backend", arguments->options.backend, "auto (the first that works), fentry, cgroup or kprobe")
      ->check(CLI::IsMember({"auto", "fentry", "cgroup", "kprobe"}))
      ->type_name("BACKEND")
      ->capture_default_str();
  add_format_option(*command, arguments->format);
  command->footer(
      "Nothing leaves the machine; an agent that runs sees the lookups too. Exit code 1 when a rule did not fire.\n\n"
      "Example:\n  sudo nslookout selftest --rules /etc/nslookout/rules");
  command->callback([&chosen, arguments] { chosen = [arguments] { return selftest(*arguments); }; });
}

}  // namespace nslookout::cli
