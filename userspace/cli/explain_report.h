// What `nslookout explain` says: for each rule, what the kernel decides and what is left to the verifier. Control
// characters of rule files are escaped. Thread rule: pure functions.
#pragma once

#include <string>

#include "compile/plan.h"

namespace nslookout::cli {

[[nodiscard]] std::string explain_text(const compile::Plan& plan);
[[nodiscard]] std::string explain_json(const compile::Plan& plan);

}  // namespace nslookout::cli
