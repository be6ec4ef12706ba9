// The selections of a rule's detection section: YAML -> tests and expressions (Sigma rules specification 2.1,
// "Detection"). A map is AND over its keys, a list of maps OR, a list of values OR (AND with |all); a text without a field
// is a keyword, searched in every field.
#pragma once

#include <string_view>
#include <vector>

#include "sigma/ast.h"
#include "sigma/values.h"
#include "sigma/yaml_tree.h"

namespace nslookout::sigma {

// Fills rule.tests and rule.selections from every key of detection but other_keys and "timeframe". rule.source is set.
[[nodiscard]] bool parse_selections(const YamlNode& detection, const std::vector<std::string_view>& other_keys,
                                    const Expansions& expansions, VariantBudget& variants, Rule& rule,
                                    Findings& findings);

}  // namespace nslookout::sigma
