// A filter: a Sigma document that adds a condition to rules from outside, mostly to take something out of them (Sigma
// filters specification 2.1).
//
// The condition of each rule it applies to becomes (the rule's) and (the filter's); its selections are apart from those
// of the rule. It applies to a rule that it names, by id or by name (or to any), if every attribute of its log source
// is that of the rule.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sigma/ast.h"
#include "sigma/rule.h"
#include "sigma/yaml_tree.h"

namespace nslookout::sigma {

inline constexpr std::size_t max_filter_parts = 2'000'000;  // that filters add to the rules of one set

struct Filter {
  Rule body;  // metadata, log source, tests, selections, condition
  Place rules_place;
  bool any_rule = false;
  std::vector<std::string> rules;  // ids or names
  std::vector<Place> places;       // of these, parallel
};

[[nodiscard]] std::optional<Filter> parse_filter(const YamlNode& document, std::size_t document_number,
                                                 const RuleOptions& options, VariantBudget& variants,
                                                 Findings& findings);

// Each filter to each rule that it applies to. Adds a warning for a filter that applies to none and for a name by which it
// applies to none, an error where filters would add more than max_filter_parts.
void apply_filters(const std::vector<Filter>& filters, std::vector<Rule>& rules, std::vector<Finding>& findings);

}  // namespace nslookout::sigma
