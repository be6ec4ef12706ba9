// Options that `run` and `replay` share: what to report, of which ports, and where to.
// Thread rule: one thread, before the command line is read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"

namespace nslookout::cli {

void add_rules_and_lists(CLI::App& command, std::vector<std::string>& rules, std::vector<std::string>& lists);

// unique: what that word means for the command.
void add_observe_option(CLI::App& command, std::string& observe, const std::string& unique);

// --format: text, for people, or json.
void add_format_option(CLI::App& command, std::string& format);

void add_responses_option(CLI::App& command, bool& responses);

void add_port_option(CLI::App& command, std::vector<std::uint16_t>& ports);

// Sets the default, stdout.
void add_output_option(CLI::App& command, std::vector<std::string>& outputs);

// Errors: usage.
[[nodiscard]] Result<void> check_something_to_report(const std::vector<std::string>& rules,
                                                     const std::vector<std::string>& lists, const std::string& observe);
[[nodiscard]] Result<void> check_ports(const std::vector<std::uint16_t>& ports);

}  // namespace nslookout::cli
