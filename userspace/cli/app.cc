#include "cli/commands.h"

namespace nslookout::cli {

std::unique_ptr<CLI::App> make_app(Command& chosen) {
  auto app = std::make_unique<CLI::App>(
      "nslookout looks out for name lookups: it reads DNS questions in the kernel, "
      "checks them against Sigma rules and reports which process asked.",
      "nslookout");
  app->set_help_flag("-h,--help", "Print this help and exit");
  app->set_version_flag("-V,--version", "nslookout " + version_number(), "Print the version and exit");
  // Not "exactly one": CLI11 would then answer an unknown command with "a subcommand is required".
  app->require_subcommand(0, 1);
  app->footer(
      "Example:\n  nslookout run --rules /etc/nslookout/rules\n\nExit codes: 0 ok, 1 failure while running, "
      "2 usage, 3 invalid rules or configuration, 4 unsupported kernel or missing privilege.\n"
      "See nslookout(8); `nslookout COMMAND --help` describes a command.");
  add_run(*app, chosen);
  add_check(*app, chosen);
  add_explain(*app, chosen);
  add_match(*app, chosen);
  add_replay(*app, chosen);
  add_hunt(*app, chosen);
  add_diff(*app, chosen);
  add_report(*app, chosen);
  add_top(*app, chosen);
  add_doctor(*app, chosen);
  add_decode(*app, chosen);
  add_ci(*app, chosen);
  add_release(*app, chosen);
  add_config(*app, chosen);
  add_status(*app, chosen);
  add_selftest(*app, chosen);
  add_version(*app, chosen);
  return app;
}

}  // namespace nslookout::cli
