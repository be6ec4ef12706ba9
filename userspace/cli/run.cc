#include "agent/agent.h"

#include <map>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "bpf/abi.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/report.h"

namespace nslookout::cli {
namespace {

struct RunArguments {
  agent::RunOptions options;
  std::string log_level = "notice";
};

const std::map<std::string, log::Level, std::less<>> log_levels = {{"error", log::Level::error},
                                                                   {"warning", log::Level::warning},
                                                                   {"notice", log::Level::notice},
                                                                   {"debug", log::Level::debug}};

Result<void> check_together(const agent::RunOptions& options) {
  if (options.rules.empty() && options.lists.empty() && options.observe == "matches") {
    return fail(ErrorClass::usage,
                "there is nothing to look out for: give --rules PATH or --list SPEC, or --observe all to report every "
                "query");
  }
  if (options.ports.size() > NSL_PORTS_MAX) {
    return fail(ErrorClass::usage, "--port is given {} times, and {} ports are the most there can be",
                options.ports.size(), NSL_PORTS_MAX);
  }
  return {};
}

int run(const RunArguments& arguments) {
  const auto checked = check_together(arguments.options);
  if (!checked) return report(checked.error());
  log::set_level(log_levels.at(arguments.log_level));
  const auto outcome = agent::run(arguments.options);
  return outcome ? exit_ok : report(outcome.error());
}

void add_sources(CLI::App& command, agent::RunOptions& options) {
  command.add_option("--rules", options.rules, "Sigma rules: a file or a directory of them; may be repeated")
      ->check(check_not_empty)
      ->type_name("PATH")
      ->allow_extra_args(false);
  command
      .add_option("--list", options.lists,
                  "Names to report: exact:FILE the names themselves, suffix:FILE the names and all below them; "
                  "FILE?format=plain|wildcard|hosts|rpz|adblock|dnsmasq|csv where the format is not to be detected, "
                  "column=NAME|NUMBER of a CSV list, level=LEVEL of its hits (joined by &); may be repeated")
      ->check(check_list_spec)
      ->type_name("SPEC")
      ->allow_extra_args(false);
  command
      .add_option("--observe", options.observe,
                  "matches: what a rule or list matches; all: every query; unique: each name of a process once")
      ->check(CLI::IsMember({"matches", "all", "unique"}))
      ->type_name("WHAT")
      ->capture_default_str();
}

void add_sensor(CLI::App& command, agent::RunOptions& options) {
  command.add_option("--backend", options.backend, "auto (the first that works), fentry, cgroup or kprobe")
      ->check(CLI::IsMember({"auto", "fentry", "cgroup", "kprobe"}))
      ->type_name("BACKEND")
      ->capture_default_str();
  command.add_option("--mode", options.mode, "audit: report, change nothing")
      ->check(check_mode)
      ->type_name("MODE")
      ->capture_default_str();
  command.add_option("--port", options.ports, "Destination port that carries DNS; may be repeated, up to 8")
      ->check(check_port)
      ->type_name("PORT")
      ->allow_extra_args(false)
      ->capture_default_str();
}

void add_results(CLI::App& command, RunArguments& arguments) {
  arguments.options.outputs = {"stdout"};
  command
      .add_option("--output", arguments.options.outputs,
                  "Where events go: stdout, jsonl:FILE, protobuf:FILE …; may be repeated")
      ->check(check_not_empty)
      ->type_name("SPEC")
      ->allow_extra_args(false)
      ->capture_default_str();
  command
      .add_option("--ready-file", arguments.options.ready_file,
                  "File to write once the programs are attached and the tables filled")
      ->check(check_not_empty)
      ->type_name("FILE");
  command.add_option("--log-level", arguments.log_level, "Diagnostics on stderr: error, warning, notice or debug")
      ->check(CLI::IsMember({"error", "warning", "notice", "debug"}))
      ->type_name("LEVEL")
      ->capture_default_str();
}

}  // namespace

void add_run(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand("run", "Watch the lookups of this host and report those that match");
  const auto arguments = std::make_shared<RunArguments>();
  add_sources(*command, arguments->options);
  add_sensor(*command, arguments->options);
  add_results(*command, *arguments);
  command->footer(
      "Runs until SIGTERM or SIGINT, then writes what is still queued and exits 0.\n\nExample:\n  sudo "
      "nslookout run --rules rules/ --list suffix:bad-names.txt --output jsonl:/var/log/nslookout.jsonl");
  command->callback([&chosen, arguments] { chosen = [arguments] { return run(*arguments); }; });
}

}  // namespace nslookout::cli
