#include "cli/event_options.h"

#include "bpf/abi.h"
#include "cli/checks.h"

namespace nslookout::cli {

void add_rules_and_lists(CLI::App& command, std::vector<std::string>& rules, std::vector<std::string>& lists) {
  command.add_option("--rules", rules, "Sigma rules: a file or a directory of them; may be repeated")
      ->check(check_not_empty)
      ->type_name("PATH")
      ->allow_extra_args(false);
  command
      .add_option("--list", lists,
                  "Names to report: exact:FILE the names themselves, suffix:FILE the names and all below them; "
                  "FILE?format=plain|wildcard|hosts|rpz|adblock|dnsmasq|csv where the format is not to be detected, "
                  "column=NAME|NUMBER of a CSV list, level=LEVEL of its hits (joined by &); may be repeated")
      ->check(check_list_spec)
      ->type_name("SPEC")
      ->allow_extra_args(false);
}

void add_observe_option(CLI::App& command, std::string& observe, const std::string& unique) {
  command.add_option("--observe", observe, "matches: what a rule or list matches; all: every query; " + unique)
      ->check(CLI::IsMember({"matches", "all", "unique"}))
      ->type_name("WHAT")
      ->capture_default_str();
}

void add_format_option(CLI::App& command, std::string& format) {
  command.add_option("--format", format, "text, for people, or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
}

void add_responses_option(CLI::App& command, bool& responses) {
  command.add_flag("--responses", responses,
                   "Report the response to each reported query, too; rules that read answer or rcode need no option");
}

void add_port_option(CLI::App& command, std::vector<std::uint16_t>& ports) {
  command.add_option("--port", ports, "Destination port that carries DNS; may be repeated, up to 8")
      ->check(check_port)
      ->type_name("PORT")
      ->allow_extra_args(false)
      ->capture_default_str();
}

void add_output_option(CLI::App& command, std::vector<std::string>& outputs) {
  outputs = {"stdout"};
  command
      .add_option("--output", outputs,
                  "Where events go: stdout, jsonl:FILE, protobuf:FILE, unix:SOCKET, syslog:…, journald, otlp:URL, "
                  "kafka:…; may be "
                  "repeated")
      ->check(check_output_spec)
      ->type_name("SPEC")
      ->allow_extra_args(false)
      ->capture_default_str();
}

Result<void> check_something_to_report(const std::vector<std::string>& rules, const std::vector<std::string>& lists,
                                       const std::string& observe) {
  if (!rules.empty() || !lists.empty() || observe != "matches") return {};
  return fail(ErrorClass::usage,
              "there is nothing to look out for: give --rules PATH or --list SPEC, or --observe all to report every "
              "query");
}

Result<void> check_ports(const std::vector<std::uint16_t>& ports) {
  if (ports.size() <= NSL_PORTS_MAX) return {};
  return fail(ErrorClass::usage, "--port is given {} times, and {} ports are the most there can be", ports.size(),
              NSL_PORTS_MAX);
}

}  // namespace nslookout::cli
