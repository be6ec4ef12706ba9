#include "compile/witness.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/case_fold.h"
#include "base/dns_flags.h"
#include "base/dns_name.h"
#include "base/public_suffix.h"
#include "base/record_type.h"
#include "bpf/abi.h"
#include "compile/firing.h"

namespace nslookout::compile {
namespace {

using sigma::Expression;
using sigma::Field;
using sigma::Token;
using sigma::Value;

WitnessSet unknown(std::string because) {
  WitnessSet set;
  set.unknown_because = std::move(because);
  return set;
}

WitnessSet never() {
  WitnessSet set;
  set.known = true;
  set.is_the_rule = true;
  return set;
}

WitnessSet one(Witness witness, bool is_the_rule) {
  WitnessSet set = never();
  set.names.push_back(std::move(witness));
  set.is_the_rule = is_the_rule;
  return set;
}

WitnessSet one_text(NameText text) {
  WitnessSet set = never();
  set.texts.push_back(std::move(text));
  set.is_the_rule = false;
  return set;
}

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

// How many of a million ordinary lookups a witness lets through, roughly: enough to tell dear from cheap.
std::size_t cost_of(const Witness& witness) {
  return witness.below && registrable_domain(wire_to_presentation(witness.wire)).empty() ? 10'000 : 1;
}

std::size_t cost_of(const NameText& text) {
  constexpr std::array<std::size_t, 7> by_length = {1'000'000, 700'000, 100'000, 20'000, 3'000, 500, 100};
  const std::size_t anchors = (text.at_start ? 1 : 0) + (text.at_end ? 1 : 0);
  if (text.at_end && text.text.find_last_of('.') == 0) return 10'000;  // all that is below a top-level domain
  const std::size_t length = text.text.size() + (text.text.empty() ? 0 : anchors);
  return length < by_length.size() ? by_length[length] : 10;
}

std::size_t cost_of_type(std::uint16_t type) {
  constexpr std::uint16_t a = 1;
  constexpr std::uint16_t ptr = 12;
  constexpr std::uint16_t aaaa = 28;
  constexpr std::uint16_t https = 65;
  if (type == a || type == aaaa) return 500'000;
  return type == https || type == ptr ? 100'000 : 5'000;
}

// Most lookups ask for recursion; AD is set by some resolver libraries and by tools.
std::size_t cost_of(HeaderFlags flags) {
  if ((flags.set & ~dns_reserved_flags) != 0 || (flags.clear & dns_reserved_flags) != 0) return 1'000'000;
  return flags.empty() ? 0 : 20'000;
}

std::size_t cost(const WitnessSet& set) {
  if (!set.known) return std::numeric_limits<std::size_t>::max();
  std::size_t sum = 0;
  for (const Witness& witness : set.names) sum += cost_of(witness);
  for (const NameText& text : set.texts) sum += cost_of(text);
  for (const std::uint16_t type : set.record_types) sum += cost_of_type(type);
  return sum + cost_of(set.flags);
}

class Finder {
 public:
  Finder(const sigma::Rule& rule, std::vector<std::string>& notes) : rule_(rule), notes_(notes) {
    for (const sigma::Test& test : rule.tests) {
      for (const Value& value : test.values) most_looked_at_ += times_named * (1 + value.patterns.size());
    }
  }

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
        return of_selection(expression.index, negated);
    }
    return unknown("");
  }

 private:
  // Keeps the best of what it is given.
  class Cheapest {
   public:
    void add(WitnessSet set) {
      const std::size_t its_cost = cost(set);
      if (parts_++ > 0 && its_cost >= best_cost_) return;
      best_ = std::move(set);
      best_cost_ = its_cost;
    }
    WitnessSet take() {
      if (parts_ == 0) return unknown("it holds for every lookup");
      // A part that is never true is the whole conjunction; any other part leaves the rest to be checked.
      best_.is_the_rule = best_.is_the_rule && (parts_ == 1 || (best_.known && best_.empty()));
      return std::move(best_);
    }

   private:
    WitnessSet best_;
    std::size_t best_cost_ = 0;
    std::size_t parts_ = 0;
  };

  WitnessSet cheapest(const std::vector<Expression>& parts, bool negated) {
    Cheapest best;
    for_each_once(parts, [&](const Expression& part) {
      best.add(find(part, negated));
      return true;
    });
    return best.take();
  }

  WitnessSet united(const std::vector<Expression>& parts, bool negated) {
    WitnessSet set = never();
    for_each_once(parts, [&](const Expression& part) { return unite(set, find(part, negated)); });
    return set;
  }

  // A selection that is named again beside itself says nothing new. visit: whether to go on.
  template <typename Visit>
  static void for_each_once(const std::vector<Expression>& parts, const Visit& visit) {
    std::set<std::size_t> selections;
    for (const Expression& part : parts) {
      if (part.kind == Expression::Kind::selection && !selections.insert(part.index).second) continue;
      if (!visit(part)) return;
    }
  }

  // What a selection is made of is found again each time that the condition names it. No rule that means something comes near.
  WitnessSet of_selection(std::size_t index, bool negated) {
    if (looked_at_ > most_looked_at_) return unknown("its condition names the same selections over and over");
    return find(rule_.selections[index].expression, negated);
  }

  static bool unite(WitnessSet& into, WitnessSet part) {
    if (!part.known) {
      into = std::move(part);
      return false;
    }
    into.is_the_rule = into.is_the_rule && part.is_the_rule;
    std::ranges::move(part.names, std::back_inserter(into.names));
    std::ranges::move(part.texts, std::back_inserter(into.texts));
    std::ranges::copy(part.record_types, std::back_inserter(into.record_types));
    into.flags.unite(part.flags);
    return true;
  }

  // It holds for nearly every name; which ones is left to the verifier.
  static WitnessSet negated_test(const sigma::Test& test) {
    if (auto flags = flags_of_negated(test)) return one_of(*flags);
    return unknown(fmt::format("the negation of '{}' (line {}) holds for every other name", test.key, test.place.line));
  }

  WitnessSet test(const sigma::Test& test) {
    if (test.all) {
      Cheapest best;
      for (const Value& value : test.values) best.add(value_of(test, value));
      return best.take();
    }
    WitnessSet set = never();
    for (const Value& value : test.values) {
      if (!unite(set, value_of(test, value))) break;
    }
    return set;
  }

  WitnessSet value_of(const sigma::Test& test, const Value& value) {
    looked_at_ += 1 + value.patterns.size();
    const bool about_presence = value.kind == Value::Kind::null || (value.kind == Value::Kind::exists && !value.exists);
    if (test.field == Field::query && about_presence) return never_fires(value, "every lookup has a name");
    if (about_presence) return not_the_name(test);
    if (test.field == Field::any) {
      return unknown(fmt::format("the keyword '{}' (line {}) may be in any field", value.source, value.place.line));
    }
    if (!sigma::is_observed(test.field)) return never();
    if (value.kind == Value::Kind::reference && !sigma::is_observed(value.reference.field)) return never();
    if (needs_windows_path(test, value)) return never();
    if (test.field == Field::query_length && compares_number_with_text(test, value)) return never();
    if (test.field == Field::record_type) return type_of(test, value);
    if (const auto flags = flags_of(test, value)) return one_of(*flags);
    if (!sigma::is_name(test.field)) return not_the_name(test);
    if (value.kind == Value::Kind::regex) return regex_of(value);
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
    if (value.kind == Value::Kind::reference) what = "compares two fields";
    return unknown(fmt::format("'{}: {}' (line {}) {}", test.key, value.source, value.place.line, what));
  }

  // The types of a text without wildcards, or of a number; a comparison by order is left to the verifier.
  static WitnessSet type_of(const sigma::Test& test, const Value& value) {
    WitnessSet set = never();
    set.is_the_rule = false;
    if (value.kind == Value::Kind::number && value.order == sigma::Order::equal && value.number >= 0 &&
        value.number <= std::numeric_limits<std::uint16_t>::max()) {
      set.record_types.push_back(static_cast<std::uint16_t>(value.number));
      return set;
    }
    if (value.kind != Value::Kind::text) return not_the_name(test);
    for (const sigma::Pattern& pattern : value.patterns) {
      const auto type = pattern.is_literal() && !pattern.tokens.empty() ? record_type_number(pattern.tokens[0].text)
                                                                        : std::optional<std::uint16_t>();
      if (!type) return not_the_name(test);
      set.record_types.push_back(*type);
    }
    return set;
  }

  static WitnessSet one_of(HeaderFlags flags) {
    WitnessSet set = never();
    set.is_the_rule = false;
    set.flags = flags;
    return set;
  }

  // Which bits a lookup must have, one at least, for the value to hold; nothing where that is left to the verifier. Every
  // lookup from the kernel has a header.
  static std::optional<HeaderFlags> flags_of(const sigma::Test& test, const Value& value) {
    if (test.field == Field::recursion_desired) {
      if (is_text(value, "true")) return HeaderFlags{.set = dns_recursion_desired};
      if (is_text(value, "false")) return HeaderFlags{.clear = dns_recursion_desired};
    }
    if (test.field != Field::reserved_flags) return std::nullopt;
    for (std::uint16_t bits = 1; bits < 8; ++bits) {
      if (is_reserved(value, bits))
        return HeaderFlags{.set = static_cast<std::uint16_t>(bits * dns_lowest_reserved_flag)};
    }
    return std::nullopt;
  }

  // The same for a test none of whose values holds.
  static std::optional<HeaderFlags> flags_of_negated(const sigma::Test& test) {
    if (test.all && test.values.size() > 1) return std::nullopt;
    for (const Value& value : test.values) {
      if (test.field == Field::reserved_flags && is_reserved(value, 0)) return HeaderFlags{.set = dns_reserved_flags};
      if (test.field != Field::recursion_desired) continue;
      if (is_text(value, "true")) return HeaderFlags{.clear = dns_recursion_desired};
      if (is_text(value, "false")) return HeaderFlags{.set = dns_recursion_desired};
    }
    return std::nullopt;
  }

  // Whether the value holds for this text and, among those that the field may have, for no other.
  static bool is_text(const Value& value, std::string_view text) {
    return value.kind == Value::Kind::text && value.patterns.size() == 1 && value.patterns[0].is_literal() &&
           !value.patterns[0].tokens.empty() && value.patterns[0].tokens[0].text == text;
  }

  static bool is_reserved(const Value& value, std::uint16_t bits) {
    if (value.kind != Value::Kind::number) return is_text(value, std::to_string(bits));
    return value.order == sigma::Order::equal && value.number_of == sigma::NumberOf::value && value.number == bits;
  }

  // The text of an expression is part of the field, and the field is part of the name.
  static WitnessSet regex_of(const Value& value) {
    const std::vector<std::string> texts = value.regex->needs_one_of();
    if (texts.empty()) {
      return unknown(fmt::format("the regular expression '{}' (line {}) has no literal text that a name must contain",
                                 value.source, value.place.line));
    }
    WitnessSet set = never();
    set.is_the_rule = false;
    for (const std::string& text : texts) set.texts.push_back({fold_case(text), false, false});
    return set;
  }

  WitnessSet pattern_of(const sigma::Test& test, const Value& value, const sigma::Pattern& pattern) {
    switch (test.field) {
      case Field::query:
        return name_pattern(test, value, pattern);
      case Field::query_etld_plus_one:
        return part_of_name(test, value, pattern, true);
      case Field::parent_domain:
        return part_of_name(test, value, pattern, false);
      case Field::subdomain:
        return literal_piece(test, value, pattern, true, false);
      default:
        return not_the_name(test);
    }
  }

  // A literal that is the end of the name: below it, or the name itself where whole says so.
  WitnessSet part_of_name(const sigma::Test& test, const Value& value, const sigma::Pattern& pattern, bool whole) {
    if (!pattern.is_literal()) return literal_piece(test, value, pattern, false, true);
    Result<std::string> wire = wire_of(pattern.tokens.empty() ? std::string_view() : pattern.tokens[0].text);
    if (!wire) return never_fires(value, wire.error().message);
    if (label_count(*wire) == 0) return root(value);
    return one({std::move(*wire), whole, true}, false);
  }

  WitnessSet name_pattern(const sigma::Test& test, const Value& value, const sigma::Pattern& pattern) {
    const auto& tokens = pattern.tokens;
    if (pattern.is_literal()) return equality(value, pattern, tokens.empty() ? std::string_view() : tokens[0].text);
    WitnessSet piece = literal_piece(test, value, pattern, true, true);
    if (tokens.back().kind != Token::Kind::literal) return piece;
    WitnessSet end = fixed_end(value, pattern);
    if (end.is_the_rule) return end;
    return cost(piece) < cost(end) ? std::move(piece) : std::move(end);
  }

  WitnessSet equality(const Value& value, const sigma::Pattern& pattern, std::string_view text) {
    Result<std::string> wire = wire_of(text);
    if (!wire) return never_fires(value, wire.error().message);
    return named(value, std::move(*wire), true, !pattern.cased);
  }

  WitnessSet fixed_end(const Value& value, const sigma::Pattern& pattern) {
    const auto& tokens = pattern.tokens;
    const std::string_view end = tokens.back().text;
    const std::size_t behind = behind_first_separator(end);
    if (behind == std::string_view::npos) return unknown("");  // then a literal piece is better
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

  // The literal of a pattern that the fewest names have in them. begins, ends: the field begins or ends where the name does.
  static WitnessSet literal_piece(const sigma::Test& test, const Value& value, const sigma::Pattern& pattern,
                                  bool begins, bool ends) {
    WitnessSet best = unknown(fmt::format("'{}: {}' (line {}) holds for names with any text in them", test.key,
                                          value.source, value.place.line));
    const auto& tokens = pattern.tokens;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].kind != Token::Kind::literal || tokens[i].text == ".") continue;  // a dot is in nearly every name
      WitnessSet piece = one_text({fold_case(tokens[i].text), begins && i == 0, ends && i + 1 == tokens.size()});
      if (cost(piece) < cost(best)) best = std::move(piece);
    }
    return best;
  }

  WitnessSet never_fires(const Value& value, std::string_view why) {
    notes_.push_back(
        fmt::format("{}:{}: '{}' never matches a lookup: {}", value.place.line, value.place.column, value.source, why));
    return never();
  }

  static constexpr std::size_t times_named = 32;

  const sigma::Rule& rule_;
  std::vector<std::string>& notes_;
  std::size_t looked_at_ = 0;  // values and patterns, each time
  std::size_t most_looked_at_ = 100'000;
};

}  // namespace

WitnessSet find_witnesses(const sigma::Rule& rule, std::vector<std::string>& notes) {
  return Finder(rule, notes).find(rule.condition, false);
}

}  // namespace nslookout::compile
