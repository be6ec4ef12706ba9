#include "compile/firing.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "base/dns_name.h"
#include "base/ip_address.h"
#include "base/rcode.h"
#include "base/record_type.h"

namespace nslookout::compile {
namespace {

using sigma::Expression;
using sigma::Field;
using sigma::Token;
using sigma::Value;

// What an expression can become, taken over all lookups.
struct Possible {
  bool true_ = false;
  bool false_ = false;
};

// "\curl.exe", "C:\Windows\*"
bool has_backslash(const sigma::Pattern& pattern) {
  return std::ranges::any_of(pattern.tokens, [](const Token& token) {
    return token.kind == Token::Kind::literal && token.text.find('\\') != std::string::npos;
  });
}

bool is_number(Field field) {
  return field == Field::query_length || field == Field::process_id || field == Field::parent_process_id ||
         field == Field::server_port || field == Field::source_port || field == Field::reserved_flags;
}

bool may_be_number(const sigma::Pattern& pattern) {
  return std::ranges::all_of(pattern.tokens, [](const Token& token) {
    return token.kind != Token::Kind::literal || token.text.find_first_not_of("0123456789") == std::string::npos;
  });
}

// The whole numbers that a field may have.
struct NumberRange {
  double least;
  double most;
};

std::optional<NumberRange> range_of(Field field) {
  switch (field) {
    case Field::record_type:
    case Field::server_port:
    case Field::source_port:
      return NumberRange{0, 65535};
    case Field::rcode:
      return NumberRange{0, 4095};  // RFC 6891 section 6.1.3
    case Field::reserved_flags:
      return NumberRange{0, 7};
    case Field::query_length:
      return NumberRange{1, 253};
    default:
      return std::nullopt;
  }
}

bool in_reach(const NumberRange& range, sigma::Order order, double limit) {
  switch (order) {
    case sigma::Order::equal:
      return limit >= range.least && limit <= range.most && limit == std::floor(limit);
    case sigma::Order::greater:
      return limit < range.most;
    case sigma::Order::greater_or_equal:
      return limit <= range.most;
    case sigma::Order::less:
      return limit > range.least;
    case sigma::Order::less_or_equal:
      return limit >= range.least;
  }
  return true;
}

// Whether the field may have exactly this text, as its own parser has it.
bool may_be(Field field, const std::string& text) {
  switch (field) {
    case Field::record_type:
      return record_type_number(text).has_value();
    case Field::rcode:
      return rcode_number(text).has_value();
    case Field::server_address:
    case Field::source_address:
      return parse_ip_address(text).has_value();
    case Field::recursion_desired:
      return ascii_lower(text) == "true" || ascii_lower(text) == "false";
    case Field::server_port:
    case Field::source_port:
    case Field::reserved_flags: {
      std::uint32_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      return error == std::errc() && end == text.data() + text.size() && std::to_string(number) == text &&
             number <= range_of(field)->most;
    }
    default:
      return true;
  }
}

// A field whose values are listed in may_be.
bool has_own_parser(Field field) {
  return range_of(field) || field == Field::server_address || field == Field::source_address ||
         field == Field::recursion_desired;
}

bool is_impossible_literal(Field field, const sigma::Pattern& pattern) {
  return pattern.is_literal() && (pattern.tokens.empty() || !may_be(field, pattern.tokens[0].text));
}

// Whether a name in presentation form (base/dns_name.h) may have the text in it: no octet that is written with an escape, and no
// empty label. at_start: the text begins the name.
bool may_be_in_name(std::string_view text, bool at_start) {
  if (at_start && text.size() > 1 && text[0] == '.') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet < 0x21 || octet > 0x7E) return false;
    if (octet == '\\') {
      ++i;
    } else if (octet == '.' && i + 1 < text.size() && text[i + 1] == '.') {
      return false;
    }
  }
  return true;
}

bool may_be_in_name(const sigma::Pattern& pattern) {
  for (std::size_t i = 0; i < pattern.tokens.size(); ++i) {
    const Token& token = pattern.tokens[i];
    if (token.kind == Token::Kind::literal && !may_be_in_name(token.text, i == 0)) return false;
  }
  return true;
}

class FiringFinder {
 public:
  explicit FiringFinder(const sigma::Rule& rule) : rule_(rule) {}

  FiringReport report() {
    const Possible rule = possible(rule_.condition);
    if (rule.true_ && reasons_.empty() && exceptions_.empty()) {
      return {Firing::always, "every test can hold for a lookup here"};
    }
    std::string reasons = fmt::format("{}", fmt::join(reasons_, "; "));
    if (!exceptions_.empty()) {
      reasons += fmt::format("{}exceptions that never apply here, so that it fires without them: {}",
                             reasons.empty() ? "" : "; ", fmt::join(exceptions_, "; "));
    }
    if (rule.true_) return {Firing::degraded, std::move(reasons)};
    if (reasons.empty()) reasons = "its condition is false for every lookup";
    return {Firing::never, std::move(reasons)};
  }

 private:
  Possible possible(const Expression& expression) {
    switch (expression.kind) {
      case Expression::Kind::test:
        return possible(rule_.tests[expression.index]);
      case Expression::Kind::selection:
        return possible(rule_.selections[expression.index].expression);
      case Expression::Kind::negation: {
        negated_ = !negated_;
        const Possible inner = possible(expression.children[0]);
        negated_ = !negated_;
        return {inner.false_, inner.true_};
      }
      case Expression::Kind::all:
      case Expression::Kind::any:
        break;
    }
    const bool all = expression.kind == Expression::Kind::all;
    Possible result = {all, !all};
    for (const Expression& child : expression.children) {
      const Possible part = possible(child);
      result.true_ = all ? result.true_ && part.true_ : result.true_ || part.true_;
      result.false_ = all ? result.false_ || part.false_ : result.false_ && part.false_;
    }
    return result;
  }

  Possible possible(const sigma::Test& test) {
    std::vector<std::string> reasons;
    for (const Value& value : test.values) {
      if (std::string reason = why_impossible(test, value); !reason.empty()) reasons.push_back(std::move(reason));
    }
    if (test.all ? !reasons.empty() : reasons.size() == test.values.size()) {
      for (std::string& reason : reasons) add_reason(std::move(reason));
      return {false, true};
    }
    const Value& first = test.values.front();
    const bool about_presence = first.kind == Value::Kind::null || (first.kind == Value::Kind::exists && !first.exists);
    if (about_presence && test.field == Field::other) {
      add_reason(fmt::format("no lookup here has the field {}, so '{}' always holds", test.field_name, test.key));
    }
    return {true, !about_presence || test.field != Field::other};
  }

  // Why no lookup makes the value hold; empty where one may.
  static std::string why_impossible(const sigma::Test& test, const Value& value) {
    const bool about_presence = value.kind == Value::Kind::null || (value.kind == Value::Kind::exists && !value.exists);
    if (test.field == Field::query && about_presence) return "every lookup has a name";
    if (about_presence || test.field == Field::any) return {};
    if (!sigma::is_observed(test.field)) return missing_field(test.field_name);
    if (value.kind == Value::Kind::reference && !sigma::is_observed(value.reference.field)) {
      return missing_field(value.reference.name);
    }
    if (needs_windows_path(test, value)) {
      return fmt::format("'{}: {}' needs a path of Windows", test.key, value.source);
    }
    if (compares_number_with_text(test, value)) {
      return fmt::format("'{}: {}' compares a number with a text that is none", test.key, value.source);
    }
    if (has_own_parser(test.field)) return why_not_of_field(test, value);
    if (!sigma::is_name(test.field) || value.kind != Value::Kind::text) return {};
    if (test.field == Field::query &&
        std::ranges::all_of(value.patterns, [](const sigma::Pattern& p) { return p.is_literal() && !is_a_name(p); })) {
      return fmt::format("'{}' is no name that can be looked up", value.source);
    }
    if (std::ranges::any_of(value.patterns, [](const sigma::Pattern& p) { return may_be_in_name(p); })) return {};
    return fmt::format("'{}' is in no name: names have no empty label, and octets outside 0x21 to 0x7e as \\DDD",
                       value.source);
  }

  static std::string why_not_of_field(const sigma::Test& test, const Value& value) {
    const bool numeric = value.kind == Value::Kind::number;
    if ((!numeric && value.kind != Value::Kind::text) || value.number_of != sigma::NumberOf::value) return {};
    const std::optional<NumberRange> range = range_of(test.field);
    if (numeric && range && in_reach(*range, value.order, value.number)) return {};
    const bool by_text = !numeric || (!range && value.order == sigma::Order::equal);
    if (by_text && !std::ranges::all_of(value.patterns, [&](const sigma::Pattern& pattern) {
          return is_impossible_literal(test.field, pattern);
        })) {
      return {};
    }
    return fmt::format("'{}: {}' is no value that the field can have", test.key, value.source);
  }

  static bool is_a_name(const sigma::Pattern& pattern) {
    return !pattern.tokens.empty() && presentation_to_wire(pattern.tokens[0].text).has_value();
  }

  static std::string missing_field(const std::string& name) {
    return fmt::format("no lookup here has the field {}", name);
  }

  // A rule with a thousand paths of Windows is told of a few.
  void add_reason(std::string reason) {
    std::set<std::string>& reasons = negated_ ? exceptions_ : reasons_;
    if (reasons.size() < max_reasons) reasons.insert(std::move(reason));
  }

  static constexpr std::size_t max_reasons = 4;

  const sigma::Rule& rule_;
  bool negated_ = false;  // what is looked at stands under a negation
  std::set<std::string> reasons_;
  std::set<std::string> exceptions_;  // reasons of tests under a negation
};

}  // namespace

bool is_path(Field field) {
  return field == Field::image || field == Field::parent_image || field == Field::current_directory;
}

bool needs_windows_path(const sigma::Test& test, const Value& value) {
  return is_path(test.field) && value.kind == Value::Kind::text && std::ranges::all_of(value.patterns, has_backslash);
}

bool compares_number_with_text(const sigma::Test& test, const Value& value) {
  return is_number(test.field) && value.kind == Value::Kind::text &&
         std::ranges::none_of(value.patterns, may_be_number);
}

FiringReport firing_of(const sigma::Rule& rule) { return FiringFinder(rule).report(); }

}  // namespace nslookout::compile
