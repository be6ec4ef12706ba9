// How the commands name a rule and a place in a rule file. The text is not escaped: what prints it does that.
#pragma once

#include <string>

#include "sigma/ast.h"

namespace nslookout::cli {

// "file:line:column", without the parts that are not known.
[[nodiscard]] inline std::string place_text(const std::string& file, sigma::Place place) {
  return place.line == 0 ? file : fmt::format("{}:{}:{}", file, place.line, place.column);
}

// "Title (id)"
[[nodiscard]] inline std::string rule_label(const sigma::Rule& rule) {
  return rule.id.empty() ? rule.title : fmt::format("{} ({})", rule.title, rule.id);
}

}  // namespace nslookout::cli
