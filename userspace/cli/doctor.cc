#include "kernel/doctor.h"
#include "cli/commands.h"
#include "cli/doctor_report.h"
#include "cli/event_options.h"
#include "cli/report.h"
#include "kernel/probe.h"

namespace nslookout::cli {
namespace {

int doctor(const std::string& format) {
  const auto diagnosis = kernel::diagnose(kernel::Host(), kernel::probe_backends(), kernel::probe_unix_clients(),
                                          kernel::probe_bypasses());
  const auto printed = print(format == "json" ? doctor_json(diagnosis) : doctor_text(diagnosis));
  if (!printed) return report(printed.error());
  if (diagnosis.chosen() != nullptr) return exit_ok;
  return report({ErrorClass::unsupported, "no backend is usable on this host; stdout has the reason of each"});
}

}  // namespace

void add_doctor(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand(
      "doctor", "Show what this host lets the sensor do, and which lookups cannot be seen here and why");
  const auto format = std::make_shared<std::string>("text");
  add_format_option(*command, *format);
  command->footer(
      "Exit code 0 when a backend is usable, 4 when none is.\n\nExample:\n  sudo nslookout doctor --format "
      "json | jq '.blind_spots[].id'");
  command->callback([&chosen, format] { chosen = [format] { return doctor(*format); }; });
}

}  // namespace nslookout::cli
