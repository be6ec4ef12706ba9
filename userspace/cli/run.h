// The options of `run`, for a command that starts one.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

namespace nslookout::cli {

// Registers them. What comes back holds what they are read into: it must live as long as the command.
[[nodiscard]] std::shared_ptr<const void> add_options_of_run(CLI::App& command);

}  // namespace nslookout::cli
