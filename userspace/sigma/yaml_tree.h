// YAML text -> a tree of plain values that keeps what Sigma needs: places, the style of scalars, their source text.
//
// Invariants: no key of a map occurs twice; keys are scalars; the tree is finite and bounded (depth, number of nodes)
// whatever the file holds, aliases counted each time they are used; an alias inside its own anchor is refused.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sigma/findings.h"

namespace nslookout::sigma {

inline constexpr std::size_t max_yaml_depth = 64;
inline constexpr std::size_t max_yaml_nodes = 1'000'000;  // of one file

struct YamlNode {
  enum class Kind {
    null,  // plain null, ~ or nothing
    scalar,
    sequence,
    map,
  };

  Kind kind = Kind::null;
  Place place;
  bool quoted = false;          // of a scalar: written in quotes or as a block, so it is a string
  std::string text;             // of a scalar: as written, quotes and YAML escapes resolved
  std::vector<YamlNode> keys;   // of a map: scalars, parallel to items
  std::vector<YamlNode> items;  // of a sequence or a map

  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

// "a list", "a map", "a text", "null": for messages.
[[nodiscard]] std::string_view describe(YamlNode::Kind kind);

// The documents of one file, in order; empty ones are left out. The text must be UTF-8, with or without a byte order
// mark, any line ends. On a syntax error the documents before it are returned and the error is added.
[[nodiscard]] std::vector<YamlNode> parse_yaml(std::string_view text, Findings& findings);

}  // namespace nslookout::sigma
