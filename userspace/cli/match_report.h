// What `nslookout match` says about one name: the rules and lists that match it. Control characters are escaped in the
// text; the JSON is one line, with the fields of an event's `rules` (DESIGN section 5). Thread rule: pure functions.
#pragma once

#include <string>
#include <vector>

#include "match/verifier.h"

namespace nslookout::cli {

[[nodiscard]] std::string match_text(const std::string& name, const std::vector<match::Hit>& hits);
[[nodiscard]] std::string match_json(const std::string& name, const std::vector<match::Hit>& hits);

}  // namespace nslookout::cli
