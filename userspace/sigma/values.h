// One value of a key, as YAML has it -> what is compared: the key's modifiers applied from left to right (Sigma rules
// specification 2.1, "Special Field Values", and its appendix "Modifiers").
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sigma/ast.h"
#include "sigma/modifiers.h"
#include "sigma/yaml_tree.h"

namespace nslookout::sigma {

// What %name% stands for under the modifier `expand`: any of the texts, which may hold wildcards.
struct Expansion {
  std::string name;
  std::vector<std::string> values;
};
using Expansions = std::vector<Expansion>;  // each name once

inline constexpr std::size_t max_variants = 10'000;           // of one value, after expand, windash and base64offset
inline constexpr std::size_t max_variant_octets = 16U << 20;  // of all values of a file, as they are kept

// What is left for variants in the file that is read; the first of each value is not counted.
struct VariantBudget {
  std::size_t octets = max_variant_octets;
};

// A plain scalar of YAML 1.2's core schema that is an int or a float; .inf and .nan stay texts.
[[nodiscard]] std::optional<double> plain_number(std::string_view text);

// node: a scalar or null. field is the one that the key names.
[[nodiscard]] std::optional<Value> parse_value(const YamlNode& node, const Key& key, Field field,
                                               const Expansions& expansions, VariantBudget& variants,
                                               Findings& findings);

}  // namespace nslookout::sigma
