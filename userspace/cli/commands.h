// The subcommands: one add_… function and one file each. A function registers its command with CLI11 and, when the
// command is the one on the command line, leaves what is to be done in chosen; main runs it after all of the command
// line has been read, so that a usage error never comes after half the work.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

namespace nslookout::cli {

// Does the work and returns the exit code.
using Command = std::function<int()>;

void add_run(CLI::App& app, Command& chosen);
void add_check(CLI::App& app, Command& chosen);
void add_explain(CLI::App& app, Command& chosen);
void add_match(CLI::App& app, Command& chosen);
void add_replay(CLI::App& app, Command& chosen);
void add_hunt(CLI::App& app, Command& chosen);
void add_diff(CLI::App& app, Command& chosen);
void add_report(CLI::App& app, Command& chosen);
void add_top(CLI::App& app, Command& chosen);
void add_doctor(CLI::App& app, Command& chosen);
void add_decode(CLI::App& app, Command& chosen);
void add_ci(CLI::App& app, Command& chosen);
void add_release(CLI::App& app, Command& chosen);
void add_config(CLI::App& app, Command& chosen);
void add_selftest(CLI::App& app, Command& chosen);
void add_status(CLI::App& app, Command& chosen);
void add_version(CLI::App& app, Command& chosen);

// "0.1.0"
[[nodiscard]] std::string version_number();
// Empty outside a checkout.
[[nodiscard]] std::string revision();

// The whole command line; chosen outlives the App.
[[nodiscard]] std::unique_ptr<CLI::App> make_app(Command& chosen);

}  // namespace nslookout::cli
