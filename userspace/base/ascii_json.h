// JSON as text that is safe to look at: ASCII alone, so that nothing a process chose (C1 controls, DEL, U+202E, U+2028) is
// obeyed by a terminal or reorders what stands beside it. Octets that are not UTF-8 become U+FFFD.
// The one writer of JSON but for that of events (event/json_mapping.h). Thread rule: pure functions.
#pragma once

#include <string>

namespace nslookout {

// Json: one of nlohmann's. indent: spaces a level; -1: one line. No newline at the end.
template <typename Json>
[[nodiscard]] std::string ascii_json(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', true, Json::error_handler_t::replace);
}

}  // namespace nslookout
