#include "agent/agent.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>
#include <vector>

#include "agent/config.h"
#include "base/log.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/event_options.h"
#include "cli/report.h"
#include "cli/rule_arguments.h"
#include "cli/run.h"
#include "confine/writable.h"

namespace nslookout::cli {
namespace {

struct RunArguments {
  agent::RunOptions options;
  RuleArguments rules;
  std::string log_level = "notice";
  std::string hunt_back;
  ConfigurationArguments configuration;
};

const std::map<std::string, log::Level, std::less<>> log_levels = {{"error", log::Level::error},
                                                                   {"warning", log::Level::warning},
                                                                   {"notice", log::Level::notice},
                                                                   {"debug", log::Level::debug}};

// What would do nothing is no help to whoever asked for it.
Result<void> check_blocking(const agent::RunOptions& options) {
  if (options.mode != "audit") return {};
  const auto& block = options.block;
  if (block.policy.rules.empty() && block.policy.lists.empty() && block.allow.empty() && block.allow_only.empty())
    return {};
  return fail(
      ErrorClass::usage,
      "--block-rule, --block-list, --allow and --allow-only change nothing in the mode audit: add --mode dry-run or "
      "--mode enforce");
}

Result<void> check_together(const agent::RunOptions& options) {
  if (auto something = check_something_to_report(options.rules, options.lists,
                                                 options.block.allow_only.empty() ? options.observe : "all");
      !something) {
    return something;
  }
  if (auto blocking = check_blocking(options); !blocking) return blocking;
  if (options.fail == "closed" && options.mode != "enforce") {
    return fail(ErrorClass::usage, "--fail closed is about what blocks: add --mode enforce");
  }
  if (options.hidden_clients == "deny" && options.mode != "enforce") {
    return fail(ErrorClass::usage, "--hidden-clients deny changes what programs do: add --mode enforce");
  }
  return check_ports(options.ports);
}

// Before the files are read: they cannot allow themselves.
Result<void> check_writers(const ConfigurationArguments& configuration, bool allow_writable) {
  if (configuration.none || allow_writable) return {};
  const std::string file = configuration.file.empty() ? agent::default_config_file : configuration.file;
  return confine::check_not_writable_by_all({file, std::filesystem::path(file).parent_path() / "conf.d"});
}

// The files and the environment added to the command line, and all that is refused before rules are read.
Result<agent::RunOptions> options_of(CLI::App& command, const RunArguments& arguments) {
  if (auto trusted = check_writers(arguments.configuration, arguments.options.allow_writable); !trusted) {
    return fail(trusted.error());
  }
  if (auto configured = apply_configuration(command, arguments.configuration); !configured) {
    return fail(configured.error());
  }
  if (auto checked = check_together(arguments.options); !checked) return fail(checked.error());
  agent::RunOptions options = arguments.options;
  options.rule_loading = {arguments.rules.options(), arguments.rules.keep_going, arguments.rules.max_names,
                          arguments.rules.search_suffixes};
  if (!arguments.hunt_back.empty()) {
    if (options.history.empty()) {
      return fail(ErrorClass::usage, "--hunt-on-reload needs a history to hunt in: give --history FILE");
    }
    options.hunt_back = duration_of(arguments.hunt_back);
  }
  options.revision = revision();
  return options;
}

int run(CLI::App& command, const RunArguments& arguments) {
  const auto options = options_of(command, arguments);
  if (!options) return report(options.error());
  log::set_level(log_levels.at(arguments.log_level));
  const auto outcome = agent::run(*options);
  return outcome ? exit_ok : report(outcome.error());
}

void add_sensor(CLI::App& command, agent::RunOptions& options) {
  command.add_option("--backend", options.backend, "auto (the first that works), fentry, cgroup or kprobe")
      ->check(CLI::IsMember({"auto", "fentry", "cgroup", "kprobe"}))
      ->type_name("BACKEND")
      ->capture_default_str();
  add_port_option(command, options.ports);
  command
      .add_option("--process-entries", options.process_entries,
                  "Programs that the kernel remembers, running or ended; 1.7 kB of memory each")
      ->check(CLI::Range(1024, 1 << 22))
      ->type_name("COUNT")
      ->capture_default_str();
}

// An option with one value each time it is given.
CLI::Option* add_repeated(CLI::App& command, const char* name, std::vector<std::string>& values, const char* type,
                          const char* text) {
  return command.add_option(name, values, text)->type_name(type)->allow_extra_args(false);
}

void add_bypasses(CLI::App& command, agent::RunOptions& options) {
  command
      .add_option("--bypass", options.bypass,
                  "on: tell of ways around the sensor, such as encrypted DNS, other resolvers, raw and packet sockets")
      ->check(CLI::IsMember({"on", "off"}))
      ->type_name("WAY")
      ->capture_default_str();
  command
      .add_option("--resolvers", options.resolvers,
                  "Addresses of public resolvers, one a line, instead of those that are built in")
      ->check(check_not_empty)
      ->type_name("FILE");
  add_repeated(command, "--own-resolver", options.own_resolvers, "ADDRESS",
               "A resolver that may be asked, beside those of resolv.conf; may be repeated")
      ->check(check_not_empty);
}

void add_blocking(CLI::App& command, agent::RunOptions& options) {
  command
      .add_option("--mode", options.mode,
                  "audit: report, change nothing; dry-run: say what would be blocked; enforce: block it")
      ->check(CLI::IsMember({"audit", "dry-run", "enforce"}))
      ->type_name("MODE")
      ->capture_default_str();
  command
      .add_option("--block-level", options.block.policy.level,
                  "Rules and lists of this level and above block; none: those alone that are named")
      ->check(CLI::IsMember({"informational", "low", "medium", "high", "critical", "none"}))
      ->type_name("LEVEL")
      ->capture_default_str();
  add_repeated(command, "--block-rule", options.block.policy.rules, "ID",
               "A rule that blocks, whatever its level; may be repeated")
      ->check(check_not_empty);
  add_repeated(command, "--block-list", options.block.policy.lists, "NAME",
               "The file name of a list that blocks, whatever its level; may be repeated")
      ->check(check_not_empty);
  add_repeated(command, "--allow", options.block.allow, "SPEC",
               "Names that are never blocked, as --list has them; may be repeated")
      ->check(check_list_spec);
  add_repeated(command, "--allow-only", options.block.allow_only, "SPEC",
               "The same, and every other name is blocked; may be repeated")
      ->check(check_list_spec);
  command
      .add_option("--answer", options.answer,
                  "What a blocked lookup gets in its server's place: nxdomain, refused or none (its client waits)")
      ->check(CLI::IsMember({"nxdomain", "refused", "none"}))
      ->type_name("ANSWER")
      ->capture_default_str();
  command
      .add_option("--fail", options.fail,
                  "When the agent ends, however it does: open: nothing is blocked any more; closed: all goes on being "
                  "blocked until `nslookout release`")
      ->check(CLI::IsMember({"open", "closed"}))
      ->type_name("WAY")
      ->capture_default_str();
  command
      .add_option("--hidden-clients", options.hidden_clients,
                  "In the mode enforce, asking systemd-resolved or nscd over its socket: observe: seen alone; deny: "
                  "refused, so that the program asks by DNS; auto: refused where that works")
      ->check(CLI::IsMember({"auto", "observe", "deny"}))
      ->type_name("WAY")
      ->capture_default_str();
}

void add_runtimes(CLI::App& command, identity::RuntimeOptions& runtimes) {
  add_repeated(command, "--cri-socket", runtimes.cri_sockets, "PATH",
               "Socket of containerd or CRI-O, instead of the usual ones; may be repeated")
      ->check(check_not_empty);
  add_repeated(command, "--docker-socket", runtimes.docker_sockets, "PATH",
               "Socket of docker or podman, instead of the usual ones; may be repeated")
      ->check(check_not_empty);
  command.add_flag("!--no-runtime-sockets", runtimes.usual_sockets,
                   "Ask no runtime about containers but those that are named by options");
  command.add_option("--kubelet", runtimes.kubelet.url, "Ask the kubelet about pods, such as https://127.0.0.1:10250")
      ->check(check_http_url)
      ->type_name("URL");
  command
      .add_option("--kubelet-token-file", runtimes.kubelet.token_file,
                  "Token for the kubelet; that of the pod's service account where there is one")
      ->check(check_not_empty)
      ->type_name("FILE");
  auto* ca_file = command.add_option("--kubelet-ca", runtimes.kubelet.ca_file,
                                     "Certificates that the kubelet's is checked against; the system's unless given");
  ca_file->check(check_not_empty)->type_name("FILE");
  command.add_flag("!--kubelet-insecure", runtimes.kubelet.verify_peer, "Take any certificate of the kubelet's")
      ->excludes(ca_file);
}

void add_privileges(CLI::App& command, agent::RunOptions& options) {
  command
      .add_option("--proc", options.proc,
                  "Where /proc of the host's pid namespace is, for an agent in a container with another")
      ->check(check_not_empty)
      ->type_name("FOLDER")
      ->capture_default_str();
  command.add_flag("!--no-sandbox", options.sandbox,
                   "Keep all privileges and system calls once the programs are attached");
  command.add_flag("--allow-writable", options.allow_writable,
                   "Read rules, lists and configuration although any user may write them");
}

void add_results(CLI::App& command, RunArguments& arguments) {
  add_output_option(command, arguments.options.outputs);
  command
      .add_option("--history", arguments.options.history,
                  "SQLite file that keeps each lookup once, with its times, count and process, for hunt and diff; with "
                  "--observe all or unique also those that nothing matches")
      ->check(check_not_empty)
      ->type_name("FILE");
  command
      .add_option("--history-max", arguments.options.history_rows,
                  "The most lookups it keeps, 8 KiB each at most; the oldest make room")
      ->check(CLI::Range(std::uint64_t{100}, std::uint64_t{100'000'000}))
      ->type_name("ROWS")
      ->capture_default_str();
  command
      .add_option(
          "--hunt-on-reload", arguments.hunt_back,
          "When rules or lists change, hold what is new against the lookups of the history's last 90s, 30m, 24h, "
          "7d, 2w, and report those it matches")
      ->check(check_duration)
      ->type_name("TIME");
  command
      .add_option("--ready-file", arguments.options.ready_file,
                  "File to write once the programs are attached and the tables filled")
      ->check(check_not_empty)
      ->type_name("FILE");
  command
      .add_option("--metrics", arguments.options.metrics,
                  "Serve /metrics, /healthz and /readyz over HTTP there, such as 127.0.0.1:9477 or [::1]:9477; a port "
                  "alone is on 127.0.0.1")
      ->check(check_not_empty)
      ->type_name("ADDRESS:PORT");
  command
      .add_option("--status-socket", arguments.options.status_socket,
                  "Unix socket for `nslookout status`, /run/nslookout/status.sock unless given; none: no socket")
      ->check(check_not_empty)
      ->type_name("PATH");
  command.add_option("--log-level", arguments.log_level, "Diagnostics on stderr: error, warning, notice or debug")
      ->check(CLI::IsMember({"error", "warning", "notice", "debug"}))
      ->type_name("LEVEL")
      ->capture_default_str();
}

void add_options(CLI::App& command, RunArguments& arguments) {
  add_configuration(command, arguments.configuration);
  add_rules_and_lists(command, arguments.options.rules, arguments.options.lists);
  add_rule_arguments(command, arguments.rules);
  add_keep_going(command, arguments.rules);
  add_max_names(command, arguments.rules);
  add_search_suffixes(command, arguments.rules, {"auto"});
  add_observe_option(command, arguments.options.observe, "unique: each name and record type of a program once");
  command
      .add_option("--observe-rate", arguments.options.observe_rate,
                  "The most queries a second of one process that are reported though nothing matches, on average; 0: "
                  "any number")
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("COUNT")
      ->capture_default_str();
  add_responses_option(command, arguments.options.responses);
  add_sensor(command, arguments.options);
  add_blocking(command, arguments.options);
  add_bypasses(command, arguments.options);
  add_runtimes(command, arguments.options.runtimes);
  add_privileges(command, arguments.options);
  add_results(command, arguments);
}

}  // namespace

std::shared_ptr<const void> add_options_of_run(CLI::App& command) {
  auto arguments = std::make_shared<RunArguments>();
  add_options(command, *arguments);
  return arguments;
}

Result<void> check_run(const ConfigurationArguments& configuration) {
  CLI::App command;
  RunArguments arguments;
  add_options(command, arguments);
  arguments.configuration = configuration;
  const auto options = options_of(command, arguments);
  return options ? agent::check_options(*options) : fail(options.error());
}

std::vector<std::string> options_given(const CLI::App& command, const std::vector<std::string_view>& own) {
  std::vector<std::string> words;
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() == 0 || option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (std::ranges::find(own, name) != own.end()) continue;
    if (option->get_expected_max() == 0) {
      words.push_back("--" + name);
      continue;
    }
    for (const std::string& value : option->results()) words.push_back(fmt::format("--{}={}", name, value));
  }
  return words;
}

void add_run(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand("run", "Watch the lookups of this host and report those that match");
  const auto arguments = std::make_shared<RunArguments>();
  add_options(*command, *arguments);
  command->footer(
      "Runs until SIGTERM or SIGINT, then writes what is still queued and exits 0.\n\nExample:\n  sudo "
      "nslookout run --rules rules/ --list suffix:bad-names.txt --output jsonl:/var/log/nslookout.jsonl");
  command->callback(
      [&chosen, command, arguments] { chosen = [command, arguments] { return run(*command, *arguments); }; });
}

}  // namespace nslookout::cli
