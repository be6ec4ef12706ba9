// YAML text -> a tree of plain values that keeps what Sigma needs: places, the style of scalars, their source text.
//
// Invariants: no key of a map occurs twice; keys are scalars; the tree is finite and bounded (depth, number of nodes)
// whatever the file holds, aliases counted each time they are used; an alias inside its own anchor is refused. A document that
// breaks one of the first two is refused by itself: the others of its file are read.
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
  bool in_place = false;        // of a scalar: the file has text at place (behind the quote), on one line and as it is
  bool refused = false;         // of a document: its error was added, and it must not be used
  std::string text;             // of a scalar: as written, quotes and YAML escapes resolved
  std::vector<YamlNode> keys;   // of a map: scalars, parallel to items
  std::vector<YamlNode> items;  // of a sequence or a map

  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

// "a list", "a map", "a text", "null": for messages.
[[nodiscard]] std::string_view describe(YamlNode::Kind kind);

// The documents of one file, in order; empty ones are left out. The text must be UTF-8, with or without a byte order
// mark, any line ends. A document that is refused is among them, as far as it could be read, and its first error is added. On a
// syntax error, and beyond a limit, the documents before it are returned, and the error says that the rest is not read.
[[nodiscard]] std::vector<YamlNode> parse_yaml(std::string_view text, Findings& findings);

}  // namespace nslookout::sigma
