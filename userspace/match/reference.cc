#include "match/reference.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

namespace nslookout::match {
namespace {

using sigma::Expression;
using sigma::Token;

// A character of a text: its octets, or an escape of a name with its backslash.
std::vector<std::string> characters_of(std::string_view text, bool is_name) {
  std::vector<std::string> characters;
  while (!text.empty()) {
    std::size_t length = 1;
    if (is_name && text[0] == '\\' && text.size() > 1) {
      const bool decimal =
          text.size() >= 4 && text.substr(1, 3).find_first_not_of("0123456789") == std::string_view::npos;
      length = decimal ? 4 : 2;
    } else {
      const auto first = static_cast<unsigned char>(text[0]);
      for (const unsigned longer : {0xC0U, 0xE0U, 0xF0U}) length += first >= longer ? 1 : 0;
      length = std::min(length, text.size());
    }
    characters.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return characters;
}

// reachable[i]: the tokens so far can stand for the first i characters.
bool pattern_holds(const sigma::Pattern& pattern, const std::vector<std::string>& text, bool is_name) {
  std::vector<bool> reachable(text.size() + 1, false);
  reachable[0] = true;
  for (const Token& token : pattern.tokens) {
    const std::vector<std::string> literal = characters_of(token.text, is_name);
    std::vector<bool> next(text.size() + 1, false);
    for (std::size_t from = 0; from <= text.size(); ++from) {
      if (!reachable[from]) continue;
      if (token.kind == Token::Kind::run) {
        for (std::size_t to = from; to <= text.size(); ++to) next[to] = true;
      } else if (token.kind == Token::Kind::one) {
        if (from < text.size()) next[from + 1] = true;
      } else if (from + literal.size() <= text.size()) {
        bool equal = true;
        for (std::size_t i = 0; i < literal.size(); ++i) equal = equal && text[from + i] == literal[i];
        if (equal) next[from + literal.size()] = true;
      }
    }
    reachable = next;
  }
  return reachable[text.size()];
}

bool number_holds(const std::string& text, double number) {
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string::npos) return false;
  char* end = nullptr;
  const double parsed = std::strtod(text.c_str(), &end);
  return *end == '\0' && parsed == number;
}

bool value_holds(const sigma::Test& test, const sigma::Value& value, const Query& query) {
  std::vector<const FieldText*> texts;
  if (test.field == sigma::Field::other) {
    texts = query.other_values(test.field_name);
  } else if (query.value(test.field) != nullptr) {
    texts.push_back(query.value(test.field));
  }
  if (value.kind == sigma::Value::Kind::null) return texts.empty();
  const bool is_name = test.field == sigma::Field::query;
  return std::ranges::any_of(texts, [&](const FieldText* text) {
    if (value.kind == sigma::Value::Kind::number) {
      if (test.field == sigma::Field::record_type && query.record_type()) return *query.record_type() == value.number;
      if (number_holds(text->text, value.number)) return true;
    }
    const std::string& compared = value.pattern.cased ? text->text : text->folded;
    return pattern_holds(value.pattern, characters_of(compared, is_name), is_name);
  });
}

bool expression_holds(const sigma::Rule& rule, const Expression& expression, const Query& query) {
  if (expression.kind == Expression::Kind::selection) {
    return expression_holds(rule, rule.selections[expression.index].expression, query);
  }
  if (expression.kind == Expression::Kind::negation) return !expression_holds(rule, expression.children[0], query);
  bool some = false;
  bool each = true;
  if (expression.kind == Expression::Kind::test) {
    const sigma::Test& test = rule.tests[expression.index];
    for (const sigma::Value& value : test.values) {
      const bool holds = value_holds(test, value, query);
      some = some || holds;
      each = each && holds;
    }
    return test.all ? each : some;
  }
  for (const Expression& child : expression.children) {
    const bool holds = expression_holds(rule, child, query);
    some = some || holds;
    each = each && holds;
  }
  return expression.kind == Expression::Kind::all ? each : some;
}

// Whether whole ends with the name suffix on a label boundary, and is longer.
bool lies_below(std::string_view whole, std::string_view suffix) {
  for (std::size_t at = 0; whole[at] != '\0';) {
    at += 1 + static_cast<unsigned char>(whole[at]);
    if (whole.substr(at) == suffix) return true;
  }
  return false;
}

bool list_holds(const lists::NameList& list, std::string_view wire) {
  if (wire.empty()) return false;
  std::size_t longest = 0;
  bool listed = false;
  for (std::size_t i = 0; i < list.table.size(); ++i) {
    const lists::NameEntry entry = list.table.entry(i);
    const bool same = entry.wire == wire;
    const bool below = lies_below(wire, entry.wire);
    const bool lists_it = (entry.exact && same) || (entry.below && below);
    const bool allows_it = (entry.allow_exact && same) || (entry.allow_below && below);
    if ((lists_it || allows_it) && entry.wire.size() > longest) {
      longest = entry.wire.size();
      listed = !allows_it;
    }
  }
  return listed;
}

}  // namespace

ReferenceHits reference_matches(const std::vector<sigma::Rule>& rules, const std::vector<lists::NameList>& lists,
                                const Query& query) {
  ReferenceHits hits;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (expression_holds(rules[i], rules[i].condition, query)) hits.rules.push_back(i);
  }
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (list_holds(lists[i], query.wire())) hits.lists.push_back(i);
  }
  return hits;
}

}  // namespace nslookout::match
