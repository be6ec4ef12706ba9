// One YAML document -> one rule: the metadata, the log source, then detection.h and condition.h.
//
// Log sources that are lookups on this host: category dns and category dns_query, each with product linux or none;
// category network with service dns; product zeek with service dns. On request those of product windows too, and its
// services dns-client and dns-server-analytic, each of which stands for one kind of event: a test of its EventID is true
// or false once for all.
#pragma once

#include <optional>

#include "sigma/ast.h"
#include "sigma/values.h"
#include "sigma/yaml_tree.h"

namespace nslookout::sigma {

struct RuleOptions {
  bool windows = false;  // also take rules written for Windows
  Expansions expansions = {};
};

// The parts that every kind of Sigma document has. Each adds an error and returns false for what it cannot use.
[[nodiscard]] bool parse_metadata(const YamlNode& document, Rule& rule, Findings& findings);
[[nodiscard]] bool parse_log_source(const YamlNode& document, LogSource& source, Findings& findings);

// Adds at least one error whenever it returns nothing: of FindingKind::other_source alone where nothing is wrong with
// the rule but its log source.
[[nodiscard]] std::optional<Rule> parse_rule(const YamlNode& document, std::size_t document_number,
                                             const RuleOptions& options, VariantBudget& variants, Findings& findings);

}  // namespace nslookout::sigma
