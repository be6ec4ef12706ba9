// What `nslookout explain` says: for each rule, what the kernel decides and what is left to the verifier, or why it is not
// loaded. Control characters of rule files are escaped in the text. The plan is the one of the set's rules. Thread rule: pure functions.
#pragma once

#include <string>

#include "compile/plan.h"
#include "sigma/load.h"

namespace nslookout::cli {

[[nodiscard]] std::string explain_text(const sigma::RuleSet& set, const compile::Plan& plan);
[[nodiscard]] std::string explain_json(const sigma::RuleSet& set, const compile::Plan& plan);

}  // namespace nslookout::cli
