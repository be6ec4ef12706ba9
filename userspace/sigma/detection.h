// The selections of a rule's detection section: YAML -> tests and expressions (Sigma rules specification 2.1,
// "Detection"). A map is AND over its keys, a list of maps OR, a list of values OR (AND with |all).
#pragma once

#include "sigma/ast.h"
#include "sigma/yaml_tree.h"

namespace nslookout::sigma {

// Fills rule.tests and rule.selections from every key of detection but "condition" and "timeframe".
[[nodiscard]] bool parse_selections(const YamlNode& detection, Rule& rule, Findings& findings);

}  // namespace nslookout::sigma
