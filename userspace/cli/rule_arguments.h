// The options about rules that several commands share: --product-windows, --expand and, where rules are used and not
// only looked at, --keep-going.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "sigma/load.h"

namespace nslookout::cli {

struct RuleArguments {
  bool product_windows = false;
  bool keep_going = false;
  std::vector<std::string> expansions;  // NAME=VALUE

  [[nodiscard]] sigma::RuleOptions options() const;
};

void add_rule_arguments(CLI::App& command, RuleArguments& arguments);
void add_keep_going(CLI::App& command, RuleArguments& arguments);

// Writes the findings of a set to stderr as warnings, as many as a person reads.
void warn_of(const sigma::RuleSet& set);

}  // namespace nslookout::cli
