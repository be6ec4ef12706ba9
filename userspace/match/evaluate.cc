#include "match/evaluate.h"

#include <algorithm>
#include <map>
#include <span>
#include <string_view>

#include "base/rcode.h"
#include "match/derived.h"
#include "match/numbers.h"
#include "match/text.h"

namespace nslookout::match {
namespace {

using sigma::Comparison;
using sigma::Expression;
using sigma::Field;
using sigma::Test;
using sigma::Value;

// A keyword looks into every field.
bool asks_for_circumstances(const Test& test) {
  return test.field == Field::any || sigma::is_circumstance(test.field) ||
         std::ranges::any_of(test.values, [](const Value& value) {
           return value.kind == Value::Kind::reference && sigma::is_circumstance(value.reference.field);
         });
}

class Evaluator {
 public:
  Evaluator(const sigma::Rule& rule, const Query& query) : rule_(rule), query_(query) {}

  bool holds(const Expression& expression) {
    const std::size_t matched_before = matched_.size();
    const bool result = part_holds(expression);
    if (!result) matched_.resize(matched_before);
    return result;
  }

  // Whether the expression can be this, as far as that is known without the sender, which is dear to find out.
  bool can_be(bool wanted, const Expression& expression) {
    const auto child_can_be = [&](const Expression& child) { return can_be(wanted, child); };
    switch (expression.kind) {
      case Expression::Kind::all:
        return wanted ? std::ranges::all_of(expression.children, child_can_be)
                      : std::ranges::any_of(expression.children, child_can_be);
      case Expression::Kind::any:
        return wanted ? std::ranges::any_of(expression.children, child_can_be)
                      : std::ranges::all_of(expression.children, child_can_be);
      case Expression::Kind::negation:
        return can_be(!wanted, expression.children.front());
      case Expression::Kind::test:
        return asks_for_circumstances(rule_.tests[expression.index]) ||
               test_holds(rule_.tests[expression.index]) == wanted;
      case Expression::Kind::selection:
        return can_be(wanted, rule_.selections[expression.index].expression);
    }
    return true;
  }

  // Whether the expression is true of the query with some response (any), or with each (all): tests that the response
  // decides count as true, or as false, and the other way round below a negation.
  enum class Responses : std::uint8_t { any, all };
  bool holds_with(Responses which, const Expression& expression) {
    const auto child_holds = [&](const Expression& child) { return holds_with(which, child); };
    switch (expression.kind) {
      case Expression::Kind::all:
        return std::ranges::all_of(expression.children, child_holds);
      case Expression::Kind::any:
        return std::ranges::any_of(expression.children, child_holds);
      case Expression::Kind::negation:
        return !holds_with(which == Responses::any ? Responses::all : Responses::any, expression.children.front());
      case Expression::Kind::test:
        return test_holds_with(which, rule_.tests[expression.index]);
      case Expression::Kind::selection:
        return holds_with(which, rule_.selections[expression.index].expression);
    }
    return false;
  }

  std::vector<MatchedField> take_matched() {
    std::vector<MatchedField> once;
    for (MatchedField& field : matched_) {
      if (std::ranges::find(once, field) == once.end()) once.push_back(std::move(field));
    }
    return once;
  }

 private:
  bool part_holds(const Expression& expression) {
    const auto child_holds = [this](const Expression& child) { return holds(child); };
    switch (expression.kind) {
      case Expression::Kind::all:
        return std::ranges::all_of(expression.children, child_holds);
      case Expression::Kind::any:
        return std::ranges::any_of(expression.children, child_holds);
      case Expression::Kind::negation:
        return negation_holds(expression.children.front());
      case Expression::Kind::test:
        return test_holds(rule_.tests[expression.index]);
      case Expression::Kind::selection:
        return holds(rule_.selections[expression.index].expression);
    }
    return false;
  }

  bool negation_holds(const Expression& child) {
    const std::size_t matched_before = matched_.size();
    const bool result = !holds(child);
    matched_.resize(matched_before);
    return result;
  }

  bool test_holds(const Test& test) {
    const auto value_holds = [&](const Value& value) {
      if (!matches(test, value)) return false;
      matched_.push_back({test.field == Field::any ? "keyword" : test.field_name, value.source});
      return true;
    };
    return test.all ? std::ranges::all_of(test.values, value_holds) : std::ranges::any_of(test.values, value_holds);
  }

  bool test_holds_with(Responses which, const Test& test) {
    if (!sigma::reads_response(test)) return test_holds(test);
    if (which == Responses::any) return true;
    return test.field == Field::any && test_holds(test);  // a keyword that is found stays found
  }

  bool matches(const Test& test, const Value& value) {
    if (test.field == Field::any) return keyword_matches(value);
    if (value.kind == Value::Kind::exists) return present(test.field, test.field_name) == value.exists;
    const std::span<const FieldText> texts = values(test.field, test.field_name);
    if (value.kind == Value::Kind::null) return texts.empty();
    return std::ranges::any_of(texts, [&](const FieldText& text) { return value_matches(test.field, value, text); });
  }

  bool keyword_matches(const Value& value) {
    if (value.kind == Value::Kind::null || value.kind == Value::Kind::exists) return false;
    bool found = false;
    query_.each_value([&](Field field, const FieldText& text) { found = found || value_matches(field, value, text); });
    return found;
  }

  bool present(Field field, std::string_view name) {
    if (query_.present(field, name)) return true;
    return sigma::is_derived(field) && !values(field, name).empty();
  }

  std::span<const FieldText> values(Field field, std::string_view name) {
    if (!sigma::is_derived(field) || query_.present(field, name)) return query_.values(field, name);
    const auto [at, added] = derived_.try_emplace(field);
    if (added) at->second = derived_values(query_, field);
    return at->second;
  }

  bool value_matches(Field field, const Value& value, const FieldText& text) {
    switch (value.kind) {
      case Value::Kind::text:
        return any_pattern_matches(field, value.patterns, text);
      case Value::Kind::number:
        return number_matches(field, value, text);
      case Value::Kind::regex:
        return value.regex->found_in(text.text);
      case Value::Kind::network: {
        const std::optional<IpAddress> address = parse_ip_address(text.text);
        return address && value.network.contains(*address);
      }
      case Value::Kind::reference:
        return reference_matches(field, value.reference, text);
      case Value::Kind::null:
      case Value::Kind::exists:
        return false;  // about the field, not about one of its values
    }
    return false;
  }

  static bool any_pattern_matches(Field field, const std::vector<sigma::Pattern>& patterns, const FieldText& text) {
    return std::ranges::any_of(patterns, [&](const sigma::Pattern& pattern) {
      const std::string_view compared = pattern.cased ? text.text : text.folded;
      return sigma::is_name(field) ? matches_name(pattern, compared) : matches_text(pattern, compared);
    });
  }

  bool number_matches(Field field, const Value& value, const FieldText& text) const {
    if (value.number_of != sigma::NumberOf::value) {
      const std::optional<double> part = time_part_in(text.text, value.number_of);
      return part && in_order(*part, value.order, value.number);
    }
    if (const std::optional<double> number = number_of(field, text)) {
      if (in_order(*number, value.order, value.number)) return true;
    }
    return value.order == sigma::Order::equal && any_pattern_matches(field, value.patterns, text);
  }

  [[nodiscard]] std::optional<double> number_of(Field field, const FieldText& text) const {
    if (field == Field::record_type && query_.record_type()) return *query_.record_type();
    if (field == Field::rcode) {
      if (const auto number = rcode_number(text.text)) return *number;
    }
    return number_in(text.text);
  }

  bool reference_matches(Field field, const sigma::Reference& reference, const FieldText& text) {
    const auto holds = [&](const FieldText& other) {
      sigma::Pattern pattern = sigma::literal_pattern(reference.cased ? other.text : other.folded, true);
      if (reference.comparison == Comparison::contains || reference.comparison == Comparison::endswith) {
        add_run_at_start(pattern);
      }
      if (reference.comparison == Comparison::contains || reference.comparison == Comparison::startswith) {
        add_run_at_end(pattern);
      }
      const std::string_view compared = reference.cased ? text.text : text.folded;
      return sigma::is_name(field) ? matches_name(pattern, compared) : matches_text(pattern, compared);
    };
    return std::ranges::any_of(values(reference.field, reference.name), holds);
  }

  const sigma::Rule& rule_;
  const Query& query_;
  std::vector<MatchedField> matched_;
  std::map<Field, std::vector<FieldText>> derived_;
};

}  // namespace

std::optional<std::vector<MatchedField>> evaluate(const sigma::Rule& rule, const Query& query) {
  const bool cheap_tests_allow_it = query.is_described() || Evaluator(rule, query).can_be(true, rule.condition);
  Evaluator evaluator(rule, query);
  if (cheap_tests_allow_it && evaluator.holds(rule.condition)) return evaluator.take_matched();
  for (const Query& other : query.read_otherwise()) {
    if (auto matched = evaluate(rule, other)) return matched;
  }
  return std::nullopt;
}

EarlyVerdict evaluate_before_response(const sigma::Rule& rule, const Query& query) {
  using Responses = Evaluator::Responses;
  Evaluator evaluator(rule, query);
  if (evaluator.holds_with(Responses::all, rule.condition)) return EarlyVerdict::true_;
  const auto of_readings = [&](EarlyVerdict verdict) {
    return std::ranges::any_of(query.read_otherwise(),
                               [&](const Query& other) { return evaluate_before_response(rule, other) == verdict; });
  };
  if (of_readings(EarlyVerdict::true_)) return EarlyVerdict::true_;
  if (evaluator.holds_with(Responses::any, rule.condition)) return EarlyVerdict::open;
  return of_readings(EarlyVerdict::open) ? EarlyVerdict::open : EarlyVerdict::false_;
}

}  // namespace nslookout::match
