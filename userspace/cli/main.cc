// The command line: reads it, runs one command, turns every outcome into an exit code.
#include <fcntl.h>

#include <csignal>
#include <exception>
#include <sstream>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/report.h"

namespace {

using nslookout::ErrorClass;
namespace cli = nslookout::cli;

// A descriptor 0, 1 or 2 that the caller closed would be handed out again by the next open(2), and output would end up
// in a map or a socket. Opened in the wrong direction, it makes reads and writes fail instead.
void occupy_standard_descriptors() {
  for (const int fd : {0, 1, 2}) {
    if (::fcntl(fd, F_GETFD) < 0) [[maybe_unused]]
      const int opened = ::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
  }
}

int usage_error(const CLI::App& app, const std::string& message) {
  const auto commands = app.get_subcommands();
  const std::string command = commands.empty() ? "" : commands.front()->get_name() + " ";
  return cli::report({ErrorClass::usage, fmt::format("{} (see nslookout {}--help)", message, command)});
}

int parse_failure(const CLI::App& app, const CLI::ParseError& error) {
  const auto unknown = app.remaining();
  if (app.get_subcommands().empty() && !unknown.empty() && !unknown.front().starts_with('-')) {
    return usage_error(app, fmt::format("there is no command '{}'", unknown.front()));
  }
  return usage_error(app, error.what());
}

int run_command_line(int argc, char** argv) {
  cli::Command chosen;
  const auto app = cli::make_app(chosen);
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& outcome) {
    if (outcome.get_exit_code() != 0) return parse_failure(*app, outcome);
    // --help and --version come as exceptions; CLI11 knows which text belongs to them.
    std::ostringstream text;
    std::ostringstream unused;
    app->exit(outcome, text, unused);
    return cli::finish_with(text.str());
  }
  return chosen ? chosen() : usage_error(*app, "no command was given");
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  // A reader that goes away is an error of the write, not a silent death.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run_command_line(argc, argv);
  } catch (const std::exception& error) {
    return cli::report({ErrorClass::runtime, std::string("unexpected failure: ") + error.what()});
  } catch (...) {
    return cli::report({ErrorClass::runtime, "unexpected failure of unknown kind"});
  }
}
