// Which names can make a rule true: its witnesses. From them the kernel's tables are made.
//
// Invariant: if a rule is true for a lookup of a name, then one of its witnesses covers that name; a set that is not
// known promises nothing, and the kernel must let every lookup out. The converse holds only where is_the_rule says so.
//
// How: AND takes its cheapest known part, OR needs all its parts and unites them; a negation turns one into the other on
// its way down, and a negated test knows nothing. Equality on the name gives the name; a fixed end gives the names below
// what follows its first dot, because whatever ends in "x.evil.test" lies below "evil.test"; a registered domain gives
// itself and what is below. What is known of a text in the middle or at the start of a name is not used: `no_whole_label`
// in witness.cc is where tables for substrings and prefixes would take it.
#pragma once

#include <string>
#include <vector>

#include "sigma/ast.h"

namespace nslookout::compile {

struct Witness {
  std::string wire;    // lower case
  bool exact = false;  // the name itself
  bool below = false;  // every name below it
};

struct WitnessSet {
  bool known = false;
  std::vector<Witness> names;  // of a known set; none: the expression is never true
  bool is_the_rule = false;    // a lookup makes the expression true if and only if a witness covers its name
  std::string unknown_because;
};

// notes receives a sentence for each value that no name on the wire can ever match.
[[nodiscard]] WitnessSet find_witnesses(const sigma::Rule& rule, std::vector<std::string>& notes);

}  // namespace nslookout::compile
