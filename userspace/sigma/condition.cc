#include "sigma/condition.h"

#include <algorithm>
#include <string_view>

#include "base/dns_name.h"

namespace nslookout::sigma {
namespace {

struct Word {
  std::string_view text;
  Place place;
};

std::vector<Word> split_words(const YamlNode& node) {
  constexpr std::string_view blanks = " \t\r\n";
  constexpr std::string_view single = "()|";
  const std::string_view text = node.text;
  std::vector<Word> words;
  int before = 0;  // columns
  std::size_t counted = 0;
  for (std::size_t at = text.find_first_not_of(blanks); at < text.size(); at = text.find_first_not_of(blanks, at)) {
    before += columns_of(text.substr(counted, at - counted));
    counted = at;
    std::size_t end = at + 1;
    if (single.find(text[at]) == std::string_view::npos)
      end = std::min(text.find_first_of(" \t\r\n()|", at), text.size());
    Place place = node.place;
    // A condition over several lines, or with escapes, is not in the file as it is here: its words stand where it starts.
    if (node.in_place) place.column += before + (node.quoted ? 1 : 0);
    words.push_back({text.substr(at, end - at), place});
    at = end;
  }
  return words;
}

// Whether name matches a pattern whose only wildcard is *.
bool glob_matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

class ConditionParser {
 public:
  ConditionParser(const Rule& rule, Findings& findings, std::size_t& parts)
      : rule_(rule), findings_(findings), parts_(parts) {}

  std::optional<Expression> parse(const YamlNode& node) {
    words_ = split_words(node);
    end_place_ = node.place;
    at_ = 0;
    if (words_.empty()) {
      findings_.broken(node.place, "the condition is empty");
      return std::nullopt;
    }
    std::optional<Expression> expression = disjunction(0);
    if (expression && at_ < words_.size()) {
      unexpected();
      return std::nullopt;
    }
    return expression;
  }

 private:
  bool at_keyword(std::string_view keyword) {
    if (at_ >= words_.size()) return false;
    const Word& word = words_[at_];
    if (word.text == keyword) return true;
    if (ascii_lower(word.text) != keyword || is_selection(word.text)) return false;
    findings_.warning(word.place, "write '{}' in lower case", keyword);
    return true;
  }

  [[nodiscard]] bool is_selection(std::string_view name) const {
    return std::ranges::any_of(rule_.selections, [&](const Selection& selection) { return selection.name == name; });
  }

  void unexpected() {
    if (at_ >= words_.size()) {
      findings_.broken(end_place_, "the condition ends where a selection is expected");
    } else if (words_[at_].text == "|") {
      findings_.not_evaluated(words_[at_].place,
                              "aggregations ('|' in a condition) are no part of Sigma 2; write a correlation");
    } else {
      findings_.broken(words_[at_].place, "'{}' is not expected at this point of the condition", words_[at_].text);
    }
  }

  bool count(std::size_t parts, Place place) {
    parts_ += parts;
    if (parts_ <= max_condition_parts) return true;
    findings_.broken(place, "the condition has more than {} parts, its quantifiers written out", max_condition_parts);
    return false;
  }

  std::optional<Expression> disjunction(std::size_t depth) {
    return chain(depth, "or", Expression::Kind::any, &ConditionParser::conjunction);
  }
  std::optional<Expression> conjunction(std::size_t depth) {
    return chain(depth, "and", Expression::Kind::all, &ConditionParser::factor);
  }

  std::optional<Expression> chain(std::size_t depth, std::string_view keyword, Expression::Kind kind,
                                  std::optional<Expression> (ConditionParser::*operand)(std::size_t)) {
    std::optional<Expression> first = (this->*operand)(depth);
    if (!first || !at_keyword(keyword)) return first;
    Expression expression{kind};
    expression.children.push_back(std::move(*first));
    do {
      ++at_;
      std::optional<Expression> next = (this->*operand)(depth);
      if (!next) return std::nullopt;
      expression.children.push_back(std::move(*next));
    } while (at_keyword(keyword));
    return expression;
  }

  std::optional<Expression> factor(std::size_t depth) {
    if (depth >= max_condition_depth) {
      findings_.broken(end_place_, "the condition is nested deeper than {} levels", max_condition_depth);
      return std::nullopt;
    }
    if (!at_keyword("not")) return primary(depth);
    ++at_;
    std::optional<Expression> operand = factor(depth + 1);
    if (!operand) return std::nullopt;
    Expression negation{Expression::Kind::negation};
    negation.children.push_back(std::move(*operand));
    return negation;
  }

  std::optional<Expression> primary(std::size_t depth) {
    if (at_ >= words_.size()) {
      unexpected();
      return std::nullopt;
    }
    const Word& word = words_[at_];
    if (word.text == "(") return parenthesis(depth);
    if (at_ + 1 < words_.size() && words_[at_ + 1].text == "of") return quantifier();
    if (word.text == ")" || word.text == "|" ||
        ((word.text == "and" || word.text == "or") && !is_selection(word.text))) {
      unexpected();
      return std::nullopt;
    }
    return identifier();
  }

  std::optional<Expression> parenthesis(std::size_t depth) {
    const Place place = words_[at_++].place;
    std::optional<Expression> inner = disjunction(depth + 1);
    if (!inner) return std::nullopt;
    if (at_ < words_.size() && words_[at_].text == ")") {
      ++at_;
      return inner;
    }
    if (at_ < words_.size()) {
      unexpected();
    } else {
      findings_.broken(place, "this parenthesis is never closed");
    }
    return std::nullopt;
  }

  std::optional<Expression> identifier() {
    const Word& word = words_[at_];
    for (std::size_t i = 0; i < rule_.selections.size(); ++i) {
      if (rule_.selections[i].name != word.text) continue;
      ++at_;
      if (!count(1, word.place)) return std::nullopt;
      return Expression{Expression::Kind::selection, i};
    }
    if (at_ + 1 < words_.size() && words_[at_ + 1].text == "(") {
      findings_.not_evaluated(
          word.place, "aggregations ('{}(' in a condition) are no part of Sigma 2; write a correlation", word.text);
      return std::nullopt;
    }
    findings_.broken(word.place, "the condition names '{}', which is no selection of this rule", word.text);
    return std::nullopt;
  }

  std::optional<Expression> quantifier() {
    const Word& amount = words_[at_];
    const bool all = ascii_lower(amount.text) == "all";
    if (!all && amount.text != "1" && ascii_lower(amount.text) != "any") {
      findings_.broken(amount.place, "'{} of' is no quantifier of Sigma; use '1 of', 'any of' or 'all of'",
                       amount.text);
      return std::nullopt;
    }
    at_ += 2;
    if (at_ >= words_.size() || words_[at_].text == "(" || words_[at_].text == ")" || words_[at_].text == "|") {
      unexpected();
      return std::nullopt;
    }
    const Word& target = words_[at_++];
    Expression expression{all ? Expression::Kind::all : Expression::Kind::any};
    const std::string_view pattern = target.text == "them" ? "*" : target.text;
    for (std::size_t i = 0; i < rule_.selections.size(); ++i) {
      const std::string& name = rule_.selections[i].name;
      const bool hidden = name.starts_with('_') && !pattern.starts_with('_');
      if (!hidden && glob_matches(pattern, name)) expression.children.push_back({Expression::Kind::selection, i});
    }
    if (!count(expression.children.size() + 1, target.place)) return std::nullopt;
    if (!expression.children.empty()) return expression;
    if (all) {
      findings_.broken(target.place, "'all of {}' names no selection of this rule", target.text);
      return std::nullopt;
    }
    findings_.warning(target.place, "'{} of {}' names no selection of this rule and is false", amount.text,
                      target.text);
    return expression;
  }

  const Rule& rule_;
  Findings& findings_;
  std::size_t& parts_;
  std::vector<Word> words_;
  Place end_place_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<Expression> parse_condition(const YamlNode& condition, const Rule& rule, Findings& findings) {
  std::size_t parts = 0;
  ConditionParser parser(rule, findings, parts);
  if (condition.kind == YamlNode::Kind::scalar) return parser.parse(condition);
  if (condition.kind != YamlNode::Kind::sequence || condition.items.empty()) {
    findings.broken(condition.place, "the condition must be a text or a list of texts");
    return std::nullopt;
  }
  Expression any{Expression::Kind::any};
  for (const YamlNode& item : condition.items) {
    if (item.kind != YamlNode::Kind::scalar) {
      findings.broken(item.place, "a condition must be a text, this one is {}", describe(item.kind));
      return std::nullopt;
    }
    std::optional<Expression> expression = parser.parse(item);
    if (!expression) return std::nullopt;
    any.children.push_back(std::move(*expression));
  }
  return any;
}

}  // namespace nslookout::sigma
