// One rule against one lookup: the complete Sigma semantics, and what made the rule true.
//
// A test on a missing field is false; `field: null` is true for it, and for a field without a value. A number compares
// numerically where the event's value is a number, else as text. Of several values of a field one has to hold. Source: Sigma rules specification 2.1, "Detection".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "match/query.h"
#include "sigma/ast.h"

namespace nslookout::match {

// A test that made a rule true: the field and the value, both as the rule has them ("query", "sfrclak.com"); the field
// of a keyword is "keyword".
struct MatchedField {
  std::string field;
  std::string value;

  bool operator==(const MatchedField&) const = default;
};

// Nothing where the rule is false, for the query and as it is read otherwise. Tests under a negation are not among the
// fields.
[[nodiscard]] std::optional<std::vector<MatchedField>> evaluate(const sigma::Rule& rule, const Query& query);

// What is known of a rule's verdict while the response to the lookup is not: whether it holds, or does not, whatever
// answer and rcode will be.
enum class EarlyVerdict : std::uint8_t { false_, open, true_ };

// query: without answer and rcode.
[[nodiscard]] EarlyVerdict evaluate_before_response(const sigma::Rule& rule, const Query& query);

}  // namespace nslookout::match
