// Which lookups can make a rule true: its witnesses. From them the kernel's tables are made.
//
// Invariant: if a rule is true for a lookup, then one of its witnesses covers its name, one of its texts is in the name, or
// its record type is among the types, or the flags of its header are among the flags; a set that is not
// known promises nothing, and the kernel must let every lookup out. The converse holds only where is_the_rule says so.
//
// How: AND takes its cheapest known part, OR needs all its parts and unites them; a negation turns one into the other on
// its way down, and a negated test knows nothing. Equality on the name gives the name; a fixed end gives the names below
// what follows its first dot, because whatever ends in "x.evil.test" lies below "evil.test"; a registered domain gives
// itself and what is below. Where no whole label at the end is fixed, the dearest literal piece of a pattern, or the texts of
// which a regular expression needs one, are texts for the automaton; a test of the record type gives the types.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compile/automaton.h"
#include "compile/kernel_tables.h"
#include "sigma/ast.h"

namespace nslookout::compile {

struct Witness {
  std::string wire;    // lower case
  bool exact = false;  // the name itself
  bool below = false;  // every name below it
};

struct WitnessSet {
  bool known = false;
  // Of a known set; nothing at all: the expression is never true.
  std::vector<Witness> names;
  std::vector<NameText> texts;
  std::vector<std::uint16_t> record_types;
  HeaderFlags flags;
  bool is_the_rule = false;  // a lookup makes the expression true if and only if a witness covers its name
  std::string unknown_because;

  [[nodiscard]] bool empty() const { return names.empty() && texts.empty() && record_types.empty() && flags.empty(); }
};

// notes receives a sentence for each value that no name on the wire can ever match.
[[nodiscard]] WitnessSet find_witnesses(const sigma::Rule& rule, std::vector<std::string>& notes);

}  // namespace nslookout::compile
