// A key of a selection, "field|modifier|modifier": its parts, and which modifiers may stand together (Sigma
// specification 2.1, appendix "Modifiers").
//
// Modifiers apply from left to right. Every one that is unknown, or that cannot be combined with those before it,
// refuses the rule: dropping it would change what the rule means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sigma/findings.h"

namespace nslookout::sigma {

enum class Modifier : std::uint8_t {
  all,
  neq,
  cased,
  contains,
  startswith,
  endswith,
  expand,
  windash,
  base64,
  base64offset,
  utf16le,  // wide is another word for it
  utf16be,
  utf16,
  re,
  ignore_case,
  multiline,
  dot_all,
  cidr,
  exists,
  fieldref,
  gt,
  gte,
  lt,
  lte,
  minute,
  hour,
  day,
  week,
  month,
  year,
};

struct KeyModifier {
  Modifier kind{};
  Place place;
};

struct Key {
  std::string field;  // empty: a keyword
  std::vector<KeyModifier> modifiers;

  [[nodiscard]] bool has(Modifier kind) const;
};

// place: of the first character of text, quotes left out.
[[nodiscard]] std::optional<Key> parse_key(std::string_view text, Place place, Findings& findings);

}  // namespace nslookout::sigma
