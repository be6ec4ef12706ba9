// A Sigma rule as the other folders see it: what was written, with places, nothing evaluated and nothing left out.
//
// Invariants (made by rule.h): expressions are finite trees; a test or selection index is within the rule's vectors; a
// selection's expression has no Kind::selection inside; every test has at least one value. Values own their memory.
// Source: Sigma rules specification 2.1.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sigma/fields.h"
#include "sigma/findings.h"
#include "sigma/pattern.h"

namespace nslookout::sigma {

struct Value {
  enum class Kind {
    text,    // compare with pattern
    number,  // a plain number: numerically where the event's value is one, else as text; never for a name
    null,    // the field is missing or null
  };
  Kind kind = Kind::text;
  Place place;
  std::string source;  // as written
  Pattern pattern;     // of a text; of a number its source text
  double number = 0;
};

// One key of a selection: some (or each, if all) of the values holds for the field.
struct Test {
  std::string field_name;  // as written, without modifiers
  Field field = Field::other;
  std::string key;  // as written, with modifiers
  Place place;
  bool all = false;
  std::vector<Value> values;
};

struct Expression {
  enum class Kind {
    all,        // of the children; true without any
    any,        // of the children; false without any
    negation,   // of the one child
    test,       // Rule::tests[index]
    selection,  // Rule::selections[index]
  };
  Kind kind = Kind::any;
  std::size_t index = 0;
  std::vector<Expression> children = {};
};

struct Selection {
  std::string name;
  Place place;
  Expression expression;
};

struct Rule {
  std::string file;
  std::size_t document = 1;  // within the file; ids may be missing or repeated, file and document are not
  Place place;

  std::string title;
  std::string id;  // empty when absent, like the next three
  std::string name;
  std::string status;
  std::string level;  // informational, low, medium, high, critical
  std::string description;
  std::vector<std::string> tags;
  std::vector<std::string> references;

  std::vector<Test> tests;
  std::vector<Selection> selections;
  Expression condition;
};

}  // namespace nslookout::sigma
