#include "match/reference.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rcode.h"
#include "match/derived.h"

namespace nslookout::match {
namespace {

using sigma::Expression;
using sigma::Token;

// A character of a text: its octets, or an escape of a name with its backslash. They are parts of the text.
std::vector<std::string_view> characters_of(std::string_view text, bool is_name) {
  std::vector<std::string_view> characters;
  characters.reserve(text.size());
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
    characters.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return characters;
}

// reachable[i]: the tokens so far can stand for the first i characters.
bool pattern_holds(const sigma::Pattern& pattern, const std::vector<std::string_view>& text, bool is_name) {
  std::vector<bool> reachable(text.size() + 1, false);
  reachable[0] = true;
  for (const Token& token : pattern.tokens) {
    const std::vector<std::string_view> literal = characters_of(token.text, is_name);
    std::vector<bool> next(text.size() + 1, false);
    for (std::size_t from = 0; from <= text.size(); ++from) {
      if (!reachable[from]) continue;
      if (token.kind == Token::Kind::run) {
        std::fill(next.begin() + static_cast<std::ptrdiff_t>(from), next.end(), true);
        break;  // from any later place no more is reached
      }
      if (token.kind == Token::Kind::one) {
        if (from < text.size()) next[from + 1] = true;
      } else if (from + literal.size() <= text.size()) {
        bool equal = true;
        for (std::size_t i = 0; i < literal.size(); ++i) equal = equal && text[from + i] == literal[i];
        if (equal) next[from + literal.size()] = true;
      }
    }
    reachable = std::move(next);
  }
  return reachable[text.size()];
}

std::optional<double> number_of(const std::string& text) {
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string::npos || text[0] == '+') return {};
  char* end = nullptr;
  const double parsed = std::strtod(text.c_str(), &end);
  return *end == '\0' ? std::optional(parsed) : std::nullopt;
}

// By the C library: RFC 3339 text or seconds since 1970, the part as strftime prints it.
std::optional<double> time_part_of(const std::string& text, sigma::NumberOf part) {
  std::time_t time = 0;
  if (const auto number = number_of(text)) {
    time = static_cast<std::time_t>(std::floor(*number));
  } else {
    std::tm parsed = {};
    const char* rest =
        strptime(text.c_str(), text.find('T') == std::string::npos ? "%Y-%m-%d %H:%M" : "%Y-%m-%dT%H:%M", &parsed);
    if (rest == nullptr) return {};
    if (*rest == ':') rest = strptime(rest, ":%S", &parsed);
    if (rest == nullptr) return {};
    if (*rest == '.') rest += 1 + std::strspn(rest + 1, "0123456789");
    int hours = 0;
    int minutes = 0;
    if (*rest != '\0' && std::strcmp(rest, "Z") != 0 && std::sscanf(rest + 1, "%d:%d", &hours, &minutes) != 2)
      return {};
    time = timegm(&parsed) - (*rest == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
  }
  std::tm utc = {};
  gmtime_r(&time, &utc);
  const std::map<sigma::NumberOf, const char*> formats = {
      {sigma::NumberOf::minute, "%M"}, {sigma::NumberOf::hour, "%H"},  {sigma::NumberOf::day, "%d"},
      {sigma::NumberOf::week, "%V"},   {sigma::NumberOf::month, "%m"}, {sigma::NumberOf::year, "%Y"}};
  char printed[32] = {};
  std::strftime(printed, sizeof printed, formats.at(part), &utc);
  return std::strtod(printed, nullptr);
}

bool ordered(double value, sigma::Order order, double limit) {
  const bool greater = value > limit;
  const bool equal = value == limit;
  if (order == sigma::Order::greater) return greater;
  if (order == sigma::Order::greater_or_equal) return greater || equal;
  if (order == sigma::Order::less) return !greater && !equal;
  if (order == sigma::Order::less_or_equal) return !greater;
  return equal;
}

// The same address in 128 bits, IPv4 as mapped, whatever the form.
std::optional<std::array<unsigned char, 16>> address_of(const std::string& text) {
  std::array<unsigned char, 16> octets{};
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return octets;
  if (inet_pton(AF_INET6, ("::ffff:" + text).c_str(), octets.data()) == 1) return octets;
  return {};
}

bool network_holds(const IpNetwork& network, const std::string& text) {
  const auto address = address_of(text);
  const auto first = address_of(network.first.text());
  if (!address || !first) return false;
  const auto is_v4 = [](const std::array<unsigned char, 16>& octets) {
    const std::array<unsigned char, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    return std::equal(mapped.begin(), mapped.end(), octets.begin());
  };
  if (is_v4(*address) != network.first.v4) return false;
  std::string bits[2];
  for (int i = 0; i < 2; ++i) {
    for (const unsigned char octet : i == 0 ? *address : *first) bits[i] += std::bitset<8>(octet).to_string();
  }
  const std::size_t compared = network.bits + (network.first.v4 ? 96 : 0);
  return bits[0].compare(0, compared, bits[1], 0, compared) == 0;
}

// By the standard library's engine. It takes octets for characters, and it knows no inline flags; for an expression
// that it cannot read there is only RE2 itself.
bool regex_holds(const sigma::Regex& regex, const std::string& text) {
  const sigma::RegexFlags flags = regex.flags();
  std::string source;
  bool in_class = false;
  for (std::size_t i = 0; i < regex.source().size(); ++i) {
    const char c = regex.source()[i];
    if (c == '\\' && i + 1 < regex.source().size()) {
      source += regex.source().substr(i++, 2);
      continue;
    }
    if (c == '[' || c == ']') in_class = c == '[';
    if (c == '.' && !in_class) {
      source += flags.dot_all ? "[\\s\\S]" : "[^\\n]";
    } else {
      source += c;
    }
  }
  auto options = std::regex::ECMAScript;
  if (flags.ignore_case) options |= std::regex::icase;
  if (flags.multiline) options |= std::regex::multiline;
  try {
    return std::regex_search(text, std::regex(source, options));
  } catch (const std::regex_error&) {
    return regex.found_in(text);
  }
}

struct Found {
  sigma::Field field;
  FieldText text;
};

std::vector<Found> values_of(const Query& query, sigma::Field field, const std::string& name) {
  std::vector<Found> found;
  if (field == sigma::Field::any) {
    query.each_value([&](sigma::Field of, const FieldText& text) { found.push_back({of, text}); });
    return found;
  }
  for (const FieldText& text : query.values(field, name)) found.push_back({field, text});
  if (query.present(field, name)) return found;
  for (const FieldText& derived : derived_values(query, field)) found.push_back({field, derived});
  return found;
}

bool any_pattern_holds(const sigma::Value& value, const Found& found) {
  const bool is_name = sigma::is_name(found.field);
  for (const sigma::Pattern& pattern : value.patterns) {
    const std::string& compared = pattern.cased ? found.text.text : found.text.folded;
    if (pattern_holds(pattern, characters_of(compared, is_name), is_name)) return true;
  }
  return false;
}

bool number_holds(const sigma::Value& value, const Found& found, const Query& query) {
  std::optional<double> number;
  if (value.number_of != sigma::NumberOf::value) {
    number = time_part_of(found.text.text, value.number_of);
    return number && ordered(*number, value.order, value.number);
  }
  number = number_of(found.text.text);
  if (found.field == sigma::Field::record_type && query.record_type()) number = *query.record_type();
  if (found.field == sigma::Field::rcode && rcode_number(found.text.text)) number = *rcode_number(found.text.text);
  if (number && ordered(*number, value.order, value.number)) return true;
  return value.order == sigma::Order::equal && any_pattern_holds(value, found);
}

bool reference_holds(const sigma::Reference& reference, const Found& found, const Query& query) {
  const bool is_name = sigma::is_name(found.field);
  const auto mine = characters_of(reference.cased ? found.text.text : found.text.folded, is_name);
  for (const Found& other : values_of(query, reference.field, reference.name)) {
    const auto part = characters_of(reference.cased ? other.text.text : other.text.folded, is_name);
    for (std::size_t at = 0; at + part.size() <= mine.size(); ++at) {
      const bool at_start = at == 0;
      const bool at_end = at + part.size() == mine.size();
      if (!std::equal(part.begin(), part.end(), mine.begin() + static_cast<std::ptrdiff_t>(at))) continue;
      if (reference.comparison == sigma::Comparison::contains) return true;
      if (reference.comparison == sigma::Comparison::startswith && at_start) return true;
      if (reference.comparison == sigma::Comparison::endswith && at_end) return true;
      if (reference.comparison == sigma::Comparison::equals && at_start && at_end) return true;
    }
  }
  return false;
}

bool value_holds(const sigma::Test& test, const sigma::Value& value, const Query& query) {
  using Kind = sigma::Value::Kind;
  const std::vector<Found> all = values_of(query, test.field, test.field_name);
  if (value.kind == Kind::null) return test.field != sigma::Field::any && all.empty();
  if (value.kind == Kind::exists) return (query.present(test.field, test.field_name) || !all.empty()) == value.exists;
  for (const Found& found : all) {
    bool holds = false;
    if (value.kind == Kind::text) holds = any_pattern_holds(value, found);
    if (value.kind == Kind::number) holds = number_holds(value, found, query);
    if (value.kind == Kind::regex) holds = regex_holds(*value.regex, found.text.text);
    if (value.kind == Kind::network) holds = network_holds(value.network, found.text.text);
    if (value.kind == Kind::reference) holds = reference_holds(value.reference, found, query);
    if (holds) return true;
  }
  return false;
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
    bool holds = expression_holds(rules[i], rules[i].condition, query);
    for (const Query& other : query.read_otherwise()) {
      holds = holds || expression_holds(rules[i], rules[i].condition, other);
    }
    if (holds) hits.rules.push_back(i);
  }
  for (std::size_t i = 0; i < lists.size(); ++i) {
    bool holds = list_holds(lists[i], query.wire());
    for (const Query& other : query.read_otherwise()) holds = holds || list_holds(lists[i], other.wire());
    if (holds) hits.lists.push_back(i);
  }
  return hits;
}

}  // namespace nslookout::match
