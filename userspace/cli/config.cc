// `nslookout config`: whether a configuration is right, what comes of it, and what there is to set.
#include <memory>
#include <string>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/report.h"
#include "cli/run.h"

namespace nslookout::cli {
namespace {

// A `run` without a command line of its own: the files and the environment alone.
struct Configured {
  Command unused;
  std::unique_ptr<CLI::App> app;
  CLI::App* run = nullptr;

  Configured() : app(make_app(unused)), run(app->get_subcommand("run")) {}
};

int check(const std::string& file) {
  const auto checked = check_run({file, false});
  if (checked) return exit_ok;
  Error error = checked.error();
  if (error.kind == ErrorClass::usage) error.kind = ErrorClass::invalid;  // it is the file's fault, not the command's
  return report(error);
}

int show(const std::string& file) {
  const Configured configured;
  const auto applied = apply_configuration(*configured.run, {file, false});
  return applied ? finish_with(effective_configuration(*configured.run)) : report(applied.error());
}

int schema() { return finish_with(configuration_schema(*Configured().run)); }

void add_part(CLI::App& config, Command& chosen, const char* name, const char* text, int (*part)(const std::string&)) {
  auto* command = config.add_subcommand(name, text);
  const auto file = std::make_shared<std::string>();
  command->add_option("FILE", *file, "The configuration file; the default one unless given")
      ->check(check_not_empty)
      ->type_name("");
  command->callback([&chosen, file, part] { chosen = [file, part] { return part(*file); }; });
}

}  // namespace

void add_config(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand("config", "Check and show the configuration of run, or describe it");
  command->require_subcommand(1);
  add_part(*command, chosen, "check", "Say whether the files can be used, and where not", check);
  add_part(*command, chosen, "show", "Print what holds: the files, the environment and the defaults", show);
  command->add_subcommand("schema", "Print a JSON Schema of the file")->callback([&chosen] { chosen = schema; });
  command->footer(
      "Exit code 3 when the configuration is wrong.\n\nExample:\n  nslookout config check /etc/nslookout/config.yaml");
}

}  // namespace nslookout::cli
