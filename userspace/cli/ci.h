// The parts of `nslookout ci`. Each function registers one of them (see commands.h).
#pragma once

#include "cli/commands.h"

namespace nslookout::cli {

void add_ci_start(CLI::App& ci, Command& chosen);
void add_ci_stop(CLI::App& ci, Command& chosen);
void add_ci_summary(CLI::App& ci, Command& chosen);
void add_ci_allow_list(CLI::App& ci, Command& chosen);

void add_work_dir_option(CLI::App& command, std::string& path);

}  // namespace nslookout::cli
