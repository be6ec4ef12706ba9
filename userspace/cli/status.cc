#include "health/status.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/event_options.h"
#include "cli/report.h"
#include "health/status_socket.h"

namespace nslookout::cli {
namespace {

struct StatusArguments {
  std::string socket = health::default_status_socket;
  std::string format = "text";
};

int status(const StatusArguments& arguments) {
  const auto json = health::read_status(arguments.socket);
  if (!json) return report(json.error());
  if (arguments.format == "json") return finish_with(*json);
  const auto text = health::status_text(*json);
  return text ? finish_with(*text) : report(text.error());
}

}  // namespace

void add_status(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand("status", "Ask the agent that runs on this host how it is and what it has found");
  const auto arguments = std::make_shared<StatusArguments>();
  add_format_option(*command, arguments->format);
  command->add_option("--status-socket", arguments->socket, "The socket that the agent was given")
      ->check(check_not_empty)
      ->type_name("PATH")
      ->capture_default_str();
  command->footer(
      "Exit code 0 when an agent answered.\n\nExample:\n  sudo nslookout status --format json | jq '.rules[] | "
      "select(.hits > 0)'");
  command->callback([&chosen, arguments] { chosen = [arguments] { return status(*arguments); }; });
}

}  // namespace nslookout::cli
