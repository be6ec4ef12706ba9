// What `nslookout check` says about a set of rules, as text (one line a rule or finding, "file:line:column: …") and as
// one JSON object. Control characters of rule files are escaped. The plan is the one of the set's rules, without lists.
// Thread rule: pure functions.
#pragma once

#include <string>

#include "compile/plan.h"
#include "sigma/load.h"

namespace nslookout::cli {

[[nodiscard]] std::string check_text(const sigma::RuleSet& set, const compile::Plan& plan);
[[nodiscard]] std::string check_json(const sigma::RuleSet& set, const compile::Plan& plan);

}  // namespace nslookout::cli
