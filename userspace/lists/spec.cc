#include "lists/spec.h"

#include <fmt/ranges.h>

#include "base/level.h"
#include "base/text.h"

namespace nslookout::lists {
namespace {

Result<void> apply_option(Spec& spec, std::string_view key, std::string_view value, std::string_view text) {
  if (key == "format") {
    spec.format = format_from_name(value);
    if (spec.format) return {};
    return fail(ErrorClass::usage, "list \"{}\": no format \"{}\"; there are {}", text, value, format_names);
  }
  if (key == "column" && !value.empty()) {
    spec.column = value;
    return {};
  }
  if (key == "level") {
    spec.level = value;
    if (is_level(value)) return {};
    return fail(ErrorClass::usage, "list \"{}\": no level \"{}\"; there are {}", text, value, fmt::join(levels, ", "));
  }
  return fail(ErrorClass::usage,
              R"(list "{}": unknown option "{}={}"; known are format=NAME, column=NAME|NUMBER and level=NAME)", text,
              key, value);
}

}  // namespace

Result<Spec> parse_spec(std::string_view text) {
  Spec spec;
  std::string_view options = text;
  std::string_view file = take_until(options, '?');
  const std::string_view scope = take_until(file, ':');
  if ((scope != "exact" && scope != "suffix") || file.empty()) {
    return fail(ErrorClass::usage, "list \"{}\" is neither exact:FILE nor suffix:FILE", text);
  }
  spec.scope = scope == "exact" ? Scope::exact : Scope::suffix;
  spec.file = file;
  while (!options.empty()) {
    std::string_view value = take_until(options, '&');
    const std::string_view key = take_until(value, '=');
    if (auto applied = apply_option(spec, key, value, text); !applied) return fail(applied.error());
  }
  if (!spec.column.empty() && spec.format.value_or(Format::csv) != Format::csv) {
    return fail(ErrorClass::usage, "list \"{}\": only format=csv has columns", text);
  }
  if (!spec.column.empty()) spec.format = Format::csv;
  return spec;
}

}  // namespace nslookout::lists
