// `nslookout ci`: the sensor around a CI job.
#include "cli/ci.h"

#include "cli/checks.h"

namespace nslookout::cli {

void add_work_dir_option(CLI::App& command, std::string& path) {
  command
      .add_option("--work-dir", path,
                  "Folder of the events and the agent's log; nslookout in $RUNNER_TEMP unless given")
      ->check(check_not_empty)
      ->type_name("DIR");
}

void add_ci(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand("ci", "Watch a CI job: start before it, stop and sum up after it");
  command->require_subcommand(1);
  add_ci_start(*command, chosen);
  add_ci_stop(*command, chosen);
  add_ci_summary(*command, chosen);
  add_ci_allow_list(*command, chosen);
  command->footer(
      "Leaves resolv.conf, iptables and Docker as they are.\n\nExample:\n  nslookout ci start --work-dir nslookout "
      "--rules "
      "rules/\n  make\n  nslookout ci stop --work-dir nslookout\n  nslookout ci summary --work-dir nslookout --fail-on "
      "high");
}

}  // namespace nslookout::cli
