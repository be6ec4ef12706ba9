// The options about rules that several commands share: --product-windows, --expand and, where rules are used and not
// only looked at, --keep-going.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "agent/sources.h"
#include "sigma/load.h"

namespace nslookout::cli {

struct RuleArguments {
  bool product_windows = false;
  bool keep_going = false;
  std::vector<std::string> expansions;  // NAME=VALUE
  std::size_t max_names = agent::default_max_names;
  std::vector<std::string> search_suffixes;  // values of agent/search_suffixes.h

  [[nodiscard]] sigma::RuleOptions options() const;
};

void add_rule_arguments(CLI::App& command, RuleArguments& arguments);
// What names are also read without; by_default: the values that stand where none is given.
void add_search_suffixes(CLI::App& command, RuleArguments& arguments, const std::vector<std::string>& by_default);
void add_max_names(CLI::App& command, RuleArguments& arguments);
void add_keep_going(CLI::App& command, RuleArguments& arguments);

// Writes the findings of a set to stderr as warnings, as many as a person reads.
void warn_of(const sigma::RuleSet& set);

}  // namespace nslookout::cli
