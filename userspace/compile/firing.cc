#include "compile/firing.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "base/dns_name.h"

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
    if (test.field != Field::query || value.kind != Value::Kind::text) return {};
    if (!std::ranges::all_of(value.patterns, [](const sigma::Pattern& p) { return p.is_literal() && !is_a_name(p); })) {
      return {};
    }
    return fmt::format("'{}' is no name that can be looked up", value.source);
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
