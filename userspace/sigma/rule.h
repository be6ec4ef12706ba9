// One YAML document -> one rule: the metadata, the log source, then detection.h and condition.h.
//
// Log sources that are lookups on this host: category dns and category dns_query, each with product linux or none;
// category network with service dns; product zeek with service dns. The same with product windows on request.
#pragma once

#include <optional>

#include "sigma/ast.h"
#include "sigma/yaml_tree.h"

namespace nslookout::sigma {

struct RuleOptions {
  bool windows = false;  // also take rules written for Windows
};

// Adds at least one error whenever it returns nothing.
[[nodiscard]] std::optional<Rule> parse_rule(const YamlNode& document, std::size_t document_number,
                                             const RuleOptions& options, Findings& findings);

}  // namespace nslookout::sigma
