#include "sigma/modifiers.h"

#include <algorithm>
#include <array>

namespace nslookout::sigma {
namespace {

// Of the specification's appendix on modifiers; only to tell an unknown word from one that nslookout lacks.
constexpr std::array<std::string_view, 35> modifiers_of_sigma = {
    "re",       "i",          "m",        "s",        "ignorecase",   "multiline", "dotall", "cidr",    "exists",
    "fieldref", "expand",     "windash",  "base64",   "base64offset", "wide",      "utf16",  "utf16le", "utf16be",
    "gt",       "gte",        "lt",       "lte",      "minute",       "hour",      "day",    "week",    "month",
    "year",     "startswith", "endswith", "contains", "all",          "cased",     "neq",    "eq"};

bool set_comparison(Key& key, Comparison comparison, std::string_view word, Place place, Findings& findings) {
  if (key.comparison != Comparison::equals) {
    findings.broken(place, "the modifier '{}' cannot be combined with another comparison in one key", word);
    return false;
  }
  key.comparison = comparison;
  return true;
}

bool apply(Key& key, std::string_view word, Place place, Findings& findings) {
  if (word == "contains") return set_comparison(key, Comparison::contains, word, place, findings);
  if (word == "startswith") return set_comparison(key, Comparison::startswith, word, place, findings);
  if (word == "endswith") return set_comparison(key, Comparison::endswith, word, place, findings);
  if (word == "all") return key.all = true;
  if (word == "cased") return key.cased = true;
  if (word == "neq") return key.neq = true;
  if (std::ranges::find(modifiers_of_sigma, word) != modifiers_of_sigma.end()) {
    findings.not_evaluated(place, "nslookout does not evaluate the modifier '{}'", word);
  } else {
    findings.broken(place, "'{}' is not a modifier of Sigma; check its spelling", word);
  }
  return false;
}

}  // namespace

std::optional<Key> parse_key(std::string_view text, Place place, Findings& findings) {
  Key key;
  std::size_t bar = std::min(text.find('|'), text.size());
  key.field = text.substr(0, bar);
  if (key.field.empty()) {
    findings.not_evaluated(place, "nslookout does not evaluate keywords (a search in all fields); name the field");
    return std::nullopt;
  }
  bool usable = true;
  while (bar < text.size()) {
    const std::size_t start = bar + 1;
    bar = std::min(text.find('|', start), text.size());
    Place word_place = place;
    word_place.column += static_cast<int>(start);
    usable = apply(key, text.substr(start, bar - start), word_place, findings) && usable;
  }
  if (!usable) return std::nullopt;
  return key;
}

}  // namespace nslookout::sigma
