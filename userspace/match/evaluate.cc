#include "match/evaluate.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "match/text.h"

namespace nslookout::match {
namespace {

using sigma::Expression;
using sigma::Field;
using sigma::Test;
using sigma::Value;

bool equals_number(std::string_view text, double number) {
  double parsed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  return error == std::errc() && end == text.data() + text.size() && parsed == number;
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
      matched_.push_back({test.field_name, value.source});
      return true;
    };
    return test.all ? std::ranges::all_of(test.values, value_holds) : std::ranges::any_of(test.values, value_holds);
  }

  [[nodiscard]] bool matches(const Test& test, const Value& value) const {
    if (test.field == Field::other) {
      const std::vector<const FieldText*> texts = query_.other_values(test.field_name);
      if (value.kind == Value::Kind::null) return texts.empty();
      return std::ranges::any_of(texts, [&](const FieldText* text) { return text_matches(test, value, *text); });
    }
    const FieldText* text = query_.value(test.field);
    if (value.kind == Value::Kind::null) return text == nullptr;
    return text != nullptr && text_matches(test, value, *text);
  }

  [[nodiscard]] bool text_matches(const Test& test, const Value& value, const FieldText& field) const {
    if (value.kind == Value::Kind::number) {
      if (test.field == Field::record_type && query_.record_type()) return *query_.record_type() == value.number;
      if (equals_number(field.text, value.number)) return true;
    }
    const std::string_view text = value.pattern.cased ? field.text : field.folded;
    return test.field == Field::query ? matches_name(value.pattern, text) : matches_text(value.pattern, text);
  }

  const sigma::Rule& rule_;
  const Query& query_;
  std::vector<MatchedField> matched_;
};

}  // namespace

std::optional<std::vector<MatchedField>> evaluate(const sigma::Rule& rule, const Query& query) {
  Evaluator evaluator(rule, query);
  if (!evaluator.holds(rule.condition)) return std::nullopt;
  return evaluator.take_matched();
}

}  // namespace nslookout::match
