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

  WitnessSet find(const Expression& expression) {
    switch (expression.kind) {
      case Expression::Kind::all:
        return cheapest(expression.children);
      case Expression::Kind::any:
        return united(expression.children);
      case Expression::Kind::negation:
        return unknown("a negation holds for every other name");
      case Expression::Kind::test:
        return test(rule_.tests[expression.index]);
      case Expression::Kind::selection:
        return find(rule_.selections[expression.index].expression);
    }
    return unknown("");
  }

 private:
  WitnessSet cheapest(const std::vector<Expression>& parts) {
    std::vector<WitnessSet> sets;
    sets.reserve(parts.size());
    for (const Expression& part : parts) sets.push_back(find(part));
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

  WitnessSet united(const std::vector<Expression>& parts) {
    WitnessSet set = never();
    for (const Expression& part : parts) {
      if (!unite(set, find(part))) break;
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

  WitnessSet test(const sigma::Test& test) {
    if (test.field != sigma::Field::query) return other_field(test);
    if (test.all) {
      std::vector<WitnessSet> sets;
      sets.reserve(test.values.size());
      for (const Value& value : test.values) sets.push_back(name_value(test, value));
      return cheapest_of(std::move(sets));
    }
    WitnessSet set = never();
    for (const Value& value : test.values) {
      if (!unite(set, name_value(test, value))) break;
    }
    return set;
  }

  static WitnessSet other_field(const sigma::Test& test) {
    const bool null = test.values.front().kind == Value::Kind::null;
    if (test.field == sigma::Field::other && !null) return never();
    return unknown(fmt::format("'{}' (line {}) is no test of the name", test.key, test.place.line));
  }

  WitnessSet name_value(const sigma::Test& test, const Value& value) {
    if (value.kind == Value::Kind::null) return never_fires(value, "every lookup has a name");
    const auto& tokens = value.pattern.tokens;
    if (value.pattern.is_literal()) return equality(value, tokens.empty() ? std::string_view() : tokens[0].text);
    if (tokens.back().kind == Token::Kind::literal) return fixed_end(test, value);
    return no_whole_label(test, value);
  }

  WitnessSet equality(const Value& value, std::string_view text) {
    Result<std::string> wire = wire_of(text);
    if (!wire) return never_fires(value, wire.error().message);
    return named(value, std::move(*wire), true, !value.pattern.cased);
  }

  WitnessSet fixed_end(const sigma::Test& test, const Value& value) {
    const auto& tokens = value.pattern.tokens;
    const std::string_view end = tokens.back().text;
    const std::size_t behind = behind_first_separator(end);
    if (behind == std::string_view::npos) return no_whole_label(test, value);
    if (end == ".") return root(value);
    Result<std::string> wire = wire_of(end.substr(behind));
    if (!wire) return never_fires(value, wire.error().message);
    const bool label_suffix = tokens.size() == 2 && tokens[0].kind == Token::Kind::run && behind == 1;
    return named(value, std::move(*wire), false, label_suffix && !value.pattern.cased);
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
  return Finder(rule, notes).find(rule.condition);
}

}  // namespace nslookout::compile
