// Phrases that the renderings share. Thread rule: pure functions.
#pragma once

#include <string>

#include "report/job.h"

namespace nslookout::report {

// "A, AAAA"
[[nodiscard]] std::string types_text(const Asked& asked);
// "curl, node and 3 more"
[[nodiscard]] std::string programs_text(const Asked& asked);
// Titles (or ids) of the rules, with commas between.
[[nodiscard]] std::string rules_text(const Asked& asked);

}  // namespace nslookout::report
