// `nslookout match --events`: a file with one JSON object of Sigma fields a line, held against the rules.
//
// A value is a text, a number, true or false, null, or an array of them (null in it being left out); an object in an
// object is a field with dots in its name. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "match/verifier.h"

namespace nslookout::cli {

// Error: invalid, what is wrong with the line.
[[nodiscard]] Result<match::Query> query_of_event(std::string_view line);

// {"event": index, "rules": [{"id", "title", "level", "file"}]} and a line end.
[[nodiscard]] std::string event_json(std::size_t index, const std::vector<match::Hit>& hits);

}  // namespace nslookout::cli
