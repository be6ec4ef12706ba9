// The condition of a rule: text -> expression over its selections (Sigma rules specification 2.1, "Condition").
//
//   or < and < not < quantifier < parentheses
//   quantifier: ("1" | "any" | "all") "of" ("them" | name | pattern with *)
//
// Words end at blanks and parentheses, so a selection may be called "notepad". Selections whose name starts with an
// underscore are left out of "them" and of patterns that do not start with one. Quantifiers are written out here: the
// expression knows only and, or, not.
#pragma once

#include <cstddef>
#include <optional>

#include "sigma/ast.h"
#include "sigma/yaml_tree.h"

namespace nslookout::sigma {

inline constexpr std::size_t max_condition_depth = 64;       // of parentheses and nots
inline constexpr std::size_t max_condition_parts = 100'000;  // of one rule, quantifiers written out

// condition: a text, or a list of texts of which any may hold. rule.selections is complete.
[[nodiscard]] std::optional<Expression> parse_condition(const YamlNode& condition, const Rule& rule,
                                                        Findings& findings);

}  // namespace nslookout::sigma
