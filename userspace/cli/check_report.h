// What `nslookout check` says about a set of rules: as text (one line a rule or finding, "file:line:column: …"), as one
// JSON object, and as SARIF 2.1.0 for code scanning. Control characters of rule files are escaped in the text. The plan
// is the one of the set's rules, without lists. Thread rule: pure functions.
#pragma once

#include <string>

#include "compile/plan.h"
#include "sigma/load.h"

namespace nslookout::cli {

[[nodiscard]] std::string check_text(const sigma::RuleSet& set, const compile::Plan& plan);
[[nodiscard]] std::string check_json(const sigma::RuleSet& set, const compile::Plan& plan);
[[nodiscard]] std::string check_sarif(const sigma::RuleSet& set, const compile::Plan& plan);

}  // namespace nslookout::cli
