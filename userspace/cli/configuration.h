// The configuration file and the environment, as what stands where the command line of `run` says nothing.
//
// Every long option of the command is a key: dashes become underscores, and an option that may be repeated has the plural
// (`--list` is `lists`). A scalar of a later file takes the place of an earlier one's, a list is added to it; an option on the
// command line takes the place of the file's, whole. The environment (NSLOOKOUT_ and the key in capitals, one value) stands
// between. `nslookout config` shows what comes of it.
// Thread rule: one thread, after the command line has been read and before the command runs.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"

namespace nslookout::cli {

struct ConfigurationArguments {
  std::string file;  // empty: the default one, if it is there
  bool none = false;
};

void add_configuration(CLI::App& command, ConfigurationArguments& arguments);

// Gives the command's options what the environment and the files say. Errors: invalid, with the place; usage, where two
// options exclude each other.
[[nodiscard]] Result<void> apply_configuration(CLI::App& command, const ConfigurationArguments& arguments);

// What holds after that, as a configuration file that says the same; what is not set is shown as a comment.
[[nodiscard]] std::string effective_configuration(const CLI::App& command);

// A JSON Schema (2020-12) of the file.
[[nodiscard]] std::string configuration_schema(const CLI::App& command);

}  // namespace nslookout::cli
