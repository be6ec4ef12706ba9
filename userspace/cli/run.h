// The options of `run`, for a command that starts one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "cli/configuration.h"

namespace nslookout::cli {

// Registers them. What comes back holds what they are read into: it must live as long as the command.
[[nodiscard]] std::shared_ptr<const void> add_options_of_run(CLI::App& command);

// Whether a `run` without a command line of its own takes the files and the environment: all that it refuses before it
// reads rules and lists. Errors: as those of `run`.
[[nodiscard]] Result<void> check_run(const ConfigurationArguments& configuration);

// Those that are on the command line, as words for another `run`; not the command's own, which are named without dashes.
[[nodiscard]] std::vector<std::string> options_given(const CLI::App& command, const std::vector<std::string_view>& own);

}  // namespace nslookout::cli
