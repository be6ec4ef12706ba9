// A Sigma rule as the other folders see it: what was written, with places, nothing evaluated and nothing left out.
//
// Invariants (made by rule.h and filter.h): expressions are finite trees; a test or selection index is within the rule's vectors; a
// selection's expression has no Kind::selection inside; every test has at least one value. Values own their memory.
// Source: Sigma rules specification 2.1.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "sigma/fields.h"
#include "sigma/findings.h"
#include "sigma/pattern.h"
#include "sigma/regex.h"

namespace nslookout::sigma {

enum class Comparison : std::uint8_t { equals, contains, startswith, endswith };

// Of a modifier for numbers; equal without one.
enum class Order : std::uint8_t { equal, greater, greater_or_equal, less, less_or_equal };

// What a number is compared with: the field's value, or a part of the time that it says (UTC). A week is that of ISO
// 8601.
enum class NumberOf : std::uint8_t { value, minute, hour, day, week, month, year };

// The other side of |fieldref.
struct Reference {
  Field field = Field::other;
  std::string name;
  Comparison comparison = Comparison::equals;
  bool cased = false;
};

struct Value {
  enum class Kind : std::uint8_t {
    text,       // one of the patterns matches
    number,     // numerically by order; `equal` on the value itself compares as text where the event's is no number
    null,       // the field is missing or null
    regex,      // found in the text
    network,    // the text is an address in it
    exists,     // whether the field is there, null included
    reference,  // against each value of another field
  };
  Kind kind = Kind::text;
  Place place;
  std::string source;             // as written
  std::vector<Pattern> patterns;  // of a text, one for each variant that modifiers made of it
                                  // (none: it matches nothing); of a number its source
  double number = 0;
  Order order = Order::equal;
  NumberOf number_of = NumberOf::value;
  std::optional<Regex> regex;
  IpNetwork network;
  bool exists = false;
  Reference reference;
};

// One key of a selection: some (or each, if all) of the values holds for the field. A field with several values (the
// records of an answer) holds a value if one of them does. A keyword is a test of Field::any.
struct Test {
  std::string field_name;  // as written, without modifiers
  Field field = Field::other;
  std::string key;  // as written, with modifiers
  Place place;
  bool all = false;
  std::vector<Value> values;
};

// Whether the response to a lookup has a part in the test: a keyword may be in it as in any field.
[[nodiscard]] inline bool reads_response(const Test& test) {
  const auto refers = [](const Value& value) {
    return value.kind == Value::Kind::reference && is_response(value.reference.field);
  };
  return test.field == Field::any || is_response(test.field) ||
         std::any_of(test.values.begin(), test.values.end(), refers);
}

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

// Empty: any.
struct LogSource {
  std::string category;
  std::string product;
  std::string service;

  bool operator==(const LogSource&) const = default;
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
  LogSource source;
  bool alerts = true;  // false: it is there for correlations only (sigma/correlation.h)

  std::vector<Test> tests;
  std::vector<Selection> selections;
  Expression condition;

  // Whether that is its id or its name: Sigma refers by either.
  [[nodiscard]] bool is_called(const std::string& other) const {
    return !other.empty() && (id == other || name == other);
  }
};

}  // namespace nslookout::sigma
