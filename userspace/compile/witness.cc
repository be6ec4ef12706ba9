#include "compile/witness.h"

#include <cstddef>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/dns_name.h"
#include "bpf/abi.h"

namespace nslookout::compile {
namespace {

using sigma::Expression;
using sigma::Field;
using sigma::Token;
using sigma::Value;

WitnessSet unknown(std::string because) { return {false, {}, false, std::move(because)}; }
WitnessSet never() { return {true, {}, true, {}}; }
WitnessSet one(Witness witness, bool is_the_rule) { return {true, {std::move(witness)}, is_the_rule, {}}; }

// The wire form of exactly the name whose presentation form is text. An error says why there is no such name.
Result<std::string> wire_of(std::string_view text) {
  const std::string lower = ascii_lower(text);
  Result<std::string> wire = presentation_to_wire(lower);
  if (!wire) return wire;
  std::string folded = ascii_lower(*wire);
  if (wire_to_presentation(folded) != lower) {
    return fail(ErrorClass::invalid, "names are written with other escapes, this one as {}",
                wire_to_presentation(folded));
  }
  return folded;
}

// Behind the first dot that separates labels; npos without one.
std::size_t behind_first_separator(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '.') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// How many lookups a set will let through, roughly: a name below a top-level domain counts for many.
std::size_t cost(const WitnessSet& set) {
  if (!set.known) return std::numeric_limits<std::size_t>::max();
  std::size_t sum = 0;
  for (const Witness& witness : set.names) sum += witness.below && label_count(witness.wire) < 2 ? 10'000 : 1;
  return sum;
}

class Finder {
 public:
  Finder(const sigma::Rule& rule, std::vector<std::string>& notes) : rule_(rule), notes_(notes) {}

  // negated: of the expression's negation.
  WitnessSet find(const Expression& expression, bool negated) {
    switch (expression.kind) {
      case Expression::Kind::all:
        return negated ? united(expression.children, true) : cheapest(expression.children, false);
      case Expression::Kind::any:
        return negated ? cheapest(expression.children, true) : united(expression.children, false);
      case Expression::Kind::negation:
        return find(expression.children[0], !negated);
      case Expression::Kind::test:
        return negated ? negated_test(rule_.tests[expression.index]) : test(rule_.tests[expression.index]);
      case Expression::Kind::selection:
        return find(rule_.selections[expression.index].expression, negated);
    }
    return unknown("");
  }

 private:
  WitnessSet cheapest(const std::vector<Expression>& parts, bool negated) {
    std::vector<WitnessSet> sets;
    sets.reserve(parts.size());
    for (const Expression& part : parts) sets.push_back(find(part, negated));
    return cheapest_of(std::move(sets));
  }

  static WitnessSet cheapest_of(std::vector<WitnessSet> sets) {
    if (sets.empty()) return unknown("it holds for every lookup");
    std::size_t best = 0;
    for (std::size_t i = 1; i < sets.size(); ++i) {
      if (cost(sets[i]) < cost(sets[best])) best = i;
    }
    WitnessSet set = std::move(sets[best]);
    // A part that is never true is the whole conjunction; any other part leaves the rest to be checked.
    set.is_the_rule = set.is_the_rule && (sets.size() == 1 || set.names.empty());
    return set;
  }

  WitnessSet united(const std::vector<Expression>& parts, bool negated) {
    WitnessSet set = never();
    for (const Expression& part : parts) {
      if (!unite(set, find(part, negated))) break;
    }
    return set;
  }

  static bool unite(WitnessSet& into, WitnessSet part) {
    if (!part.known) {
      into = std::move(part);
      return false;
    }
    into.is_the_rule = into.is_the_rule && part.is_the_rule;
    std::move(part.names.begin(), part.names.end(), std::back_inserter(into.names));
    return true;
  }

  // It holds for nearly every name; which ones is left to the verifier.
  static WitnessSet negated_test(const sigma::Test& test) {
    return unknown(fmt::format("the negation of '{}' (line {}) holds for every other name", test.key, test.place.line));
  }

  WitnessSet test(const sigma::Test& test) {
    if (test.all) {
      std::vector<WitnessSet> sets;
      sets.reserve(test.values.size());
      for (const Value& value : test.values) sets.push_back(value_of(test, value));
      return cheapest_of(std::move(sets));
    }
    WitnessSet set = never();
    for (const Value& value : test.values) {
      if (!unite(set, value_of(test, value))) break;
    }
    return set;
  }

  WitnessSet value_of(const sigma::Test& test, const Value& value) {
    const bool about_presence = value.kind == Value::Kind::null || (value.kind == Value::Kind::exists && !value.exists);
    if (test.field == Field::query && about_presence) return never_fires(value, "every lookup has a name");
    if (about_presence) return not_the_name(test);
    if (test.field == Field::any) {
      return unknown(fmt::format("the keyword '{}' (line {}) may be in any field", value.source, value.place.line));
    }
    if (!sigma::is_observed(test.field)) return never();
    if (value.kind == Value::Kind::reference && !sigma::is_observed(value.reference.field)) return never();
    if (!sigma::is_name(test.field)) return not_the_name(test);
    if (value.kind != Value::Kind::text) return no_text(test, value);
    WitnessSet set = never();
    for (const sigma::Pattern& pattern : value.patterns) {
      if (!unite(set, pattern_of(test, value, pattern))) break;
    }
    return set;
  }

  static WitnessSet not_the_name(const sigma::Test& test) {
    return unknown(fmt::format("'{}' (line {}) is no test of the name", test.key, test.place.line));
  }

  static WitnessSet no_text(const sigma::Test& test, const Value& value) {
    const char* what = "is no comparison with a text";
    if (value.kind == Value::Kind::regex) what = "is a regular expression, which the kernel's tables do not hold";
    if (value.kind == Value::Kind::reference) what = "compares two fields";
    return unknown(fmt::format("'{}: {}' (line {}) {}", test.key, value.source, value.place.line, what));
  }

  WitnessSet pattern_of(const sigma::Test& test, const Value& value, const sigma::Pattern& pattern) {
    switch (test.field) {
      case Field::query:
        return name_pattern(test, value, pattern);
      case Field::query_etld_plus_one:
        return part_of_name(test, value, pattern, true);
      case Field::parent_domain:
        return part_of_name(test, value, pattern, false);
      default:
        return not_the_name(test);
    }
  }

  // A literal that is the end of the name: below it, or the name itself where whole says so.
  WitnessSet part_of_name(const sigma::Test& test, const Value& value, const sigma::Pattern& pattern, bool whole) {
    if (!pattern.is_literal()) return no_whole_label(test, value);
    Result<std::string> wire = wire_of(pattern.tokens.empty() ? std::string_view() : pattern.tokens[0].text);
    if (!wire) return never_fires(value, wire.error().message);
    if (label_count(*wire) == 0) return root(value);
    return one({std::move(*wire), whole, true}, false);
  }

  WitnessSet name_pattern(const sigma::Test& test, const Value& value, const sigma::Pattern& pattern) {
    const auto& tokens = pattern.tokens;
    if (pattern.is_literal()) return equality(value, pattern, tokens.empty() ? std::string_view() : tokens[0].text);
    if (tokens.back().kind == Token::Kind::literal) return fixed_end(test, value, pattern);
    return no_whole_label(test, value);
  }

  WitnessSet equality(const Value& value, const sigma::Pattern& pattern, std::string_view text) {
    Result<std::string> wire = wire_of(text);
    if (!wire) return never_fires(value, wire.error().message);
    return named(value, std::move(*wire), true, !pattern.cased);
  }

  WitnessSet fixed_end(const sigma::Test& test, const Value& value, const sigma::Pattern& pattern) {
    const auto& tokens = pattern.tokens;
    const std::string_view end = tokens.back().text;
    const std::size_t behind = behind_first_separator(end);
    if (behind == std::string_view::npos) return no_whole_label(test, value);
    if (end == ".") return root(value);
    Result<std::string> wire = wire_of(end.substr(behind));
    if (!wire) return never_fires(value, wire.error().message);
    const bool label_suffix = tokens.size() == 2 && tokens[0].kind == Token::Kind::run && behind == 1;
    return named(value, std::move(*wire), false, label_suffix && !pattern.cased);
  }

  static WitnessSet named(const Value& value, std::string wire, bool exact, bool is_the_rule) {
    const std::size_t labels = label_count(wire);
    if (labels == 0) return root(value);
    return one({std::move(wire), exact, !exact}, is_the_rule && labels <= NSL_WALK_LABELS);
  }

  static WitnessSet root(const Value& value) {
    return unknown(
        fmt::format("the root (line {}) has no label that the kernel's tables could hold", value.place.line));
  }

  static WitnessSet no_whole_label(const sigma::Test& test, const Value& value) {
    return unknown(fmt::format("'{}: {}' (line {}) fixes no whole label at the end of the name", test.key, value.source,
                               value.place.line));
  }

  WitnessSet never_fires(const Value& value, std::string_view why) {
    notes_.push_back(
        fmt::format("{}:{}: '{}' never matches a lookup: {}", value.place.line, value.place.column, value.source, why));
    return never();
  }

  const sigma::Rule& rule_;
  std::vector<std::string>& notes_;
};

}  // namespace

WitnessSet find_witnesses(const sigma::Rule& rule, std::vector<std::string>& notes) {
  return Finder(rule, notes).find(rule.condition, false);
}

}  // namespace nslookout::compile
