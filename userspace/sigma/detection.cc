#include "sigma/detection.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/record_type.h"
#include "sigma/modifiers.h"

namespace nslookout::sigma {
namespace {

using Kind = YamlNode::Kind;

std::optional<double> parse_based(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return static_cast<double>(value);
}

// A plain scalar of YAML 1.2's core schema that is an int or a float; .inf and .nan stay texts.
std::optional<double> plain_number(std::string_view text) {
  if (text.starts_with("0x")) return parse_based(text.substr(2), 16);
  if (text.starts_with("0o")) return parse_based(text.substr(2), 8);
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const std::string_view unsigned_part = digits.starts_with('-') ? digits.substr(1) : digits;
  if (unsigned_part.empty() || unsigned_part.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

class SelectionParser {
 public:
  SelectionParser(Rule& rule, Findings& findings) : rule_(rule), findings_(findings) {}

  // A selection: a map, or a list of maps.
  std::optional<Expression> selection(const YamlNode& node) {
    if (node.kind == Kind::map) return map(node);
    if (node.kind == Kind::sequence && !node.items.empty()) return list_of_maps(node);
    if (node.kind == Kind::scalar) {
      keywords(node.place);
    } else {
      findings_.broken(node.place, "a selection must be a map of fields or a list of maps, this one is {}",
                       node.kind == Kind::sequence ? "an empty list" : describe(node.kind));
    }
    return std::nullopt;
  }

 private:
  void keywords(Place place) {
    findings_.not_evaluated(place, "nslookout does not evaluate keywords (a search in all fields); name the field");
  }

  std::optional<Expression> list_of_maps(const YamlNode& node) {
    Expression any{Expression::Kind::any};
    bool usable = true;
    for (const YamlNode& item : node.items) {
      if (item.kind != Kind::map) {
        if (item.kind == Kind::scalar) {
          keywords(item.place);
        } else {
          findings_.broken(item.place, "an element of a selection's list must be a map, this one is {}",
                           describe(item.kind));
        }
        return std::nullopt;
      }
      std::optional<Expression> child = map(item);
      usable = usable && child;
      if (child) any.children.push_back(std::move(*child));
    }
    if (!usable) return std::nullopt;
    return any;
  }

  std::optional<Expression> map(const YamlNode& node) {
    if (node.items.empty()) {
      findings_.broken(node.place, "the selection is an empty map and would match everything");
      return std::nullopt;
    }
    Expression all{Expression::Kind::all};
    bool usable = true;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      std::optional<Expression> child = test(node.keys[i], node.items[i]);
      usable = usable && child;
      if (child) all.children.push_back(std::move(*child));
    }
    if (!usable) return std::nullopt;
    return all;
  }

  std::optional<Expression> test(const YamlNode& key_node, const YamlNode& node) {
    const std::optional<Key> key = parse_key(key_node.text, key_node.place, findings_);
    if (!key) return std::nullopt;
    Test test;
    test.field_name = key->field;
    test.field = field_from_name(key->field);
    test.key = key_node.text;
    test.place = key_node.place;
    test.all = key->all;
    if (!values(node, *key, test)) return std::nullopt;
    if (test.field == Field::other) {
      findings_.warning(key_node.place, "lookups have no field '{}' here: this test is always {}", key->field,
                        test.values.front().kind == Value::Kind::null ? "true" : "false");
    }
    rule_.tests.push_back(std::move(test));
    Expression leaf{Expression::Kind::test, rule_.tests.size() - 1};
    if (!key->neq) return leaf;
    Expression negation{Expression::Kind::negation};
    negation.children.push_back(std::move(leaf));
    return negation;
  }

  bool values(const YamlNode& node, const Key& key, Test& test) {
    if (node.kind == Kind::sequence) {
      if (node.items.empty()) {
        findings_.broken(node.place, "the list of values of '{}' is empty", test.key);
        return false;
      }
      bool usable = true;
      for (const YamlNode& item : node.items) {
        if (item.kind == Kind::null) {
          findings_.broken(item.place, "null cannot stand in a list of values; write it as a selection of its own");
          usable = false;
        } else {
          usable = value(item, key, test) && usable;
        }
      }
      return usable;
    }
    return value(node, key, test);
  }

  bool value(const YamlNode& node, const Key& key, Test& test) {
    if (node.kind == Kind::sequence || node.kind == Kind::map) {
      findings_.broken(node.place, "a value of '{}' must be a text, a number or null, this one is {}", test.key,
                       describe(node.kind));
      return false;
    }
    Value value;
    value.place = node.place;
    if (node.kind == Kind::null) {
      if (key.comparison != Comparison::equals || key.cased || key.all) {
        findings_.broken(node.place, "null cannot be combined with the modifiers of '{}'", test.key);
        return false;
      }
      if (test.field == Field::record_type) {
        findings_.warning(node.place,
                          "null means that the field is missing; for the record type write 'NULL' in quotes");
      }
      value.kind = Value::Kind::null;
      value.source = "null";
    } else if (!scalar(node, key, test, value)) {
      return false;
    }
    test.values.push_back(std::move(value));
    return true;
  }

  bool scalar(const YamlNode& node, const Key& key, const Test& test, Value& value) {
    value.source = node.text;
    const std::optional<double> number = node.quoted ? std::nullopt : plain_number(node.text);
    if (number && key.comparison == Comparison::equals && test.field != Field::query) {
      value.kind = Value::Kind::number;
      value.number = *number;
    }
    value.pattern = parse_pattern(node.text, key.cased);
    if (key.comparison == Comparison::contains || key.comparison == Comparison::endswith) {
      add_run_at_start(value.pattern);
    }
    if (key.comparison == Comparison::contains || key.comparison == Comparison::startswith) {
      add_run_at_end(value.pattern);
    }
    if (test.field == Field::record_type) use_type_name(value);
    if (test.field != Field::query) return true;
    if (const Result<void> adapted = adapt_to_names(value.pattern); !adapted) {
      findings_.broken(node.place, "{}", adapted.error().message);
      return false;
    }
    return true;
  }

  // TYPE16 and TXT are the same type (RFC 3597 section 5); events carry the name.
  static void use_type_name(Value& value) {
    if (value.kind != Value::Kind::text || !value.pattern.is_literal() || value.pattern.tokens.empty()) return;
    const std::optional<std::uint16_t> number = record_type_number(value.pattern.tokens[0].text);
    if (number && !value.pattern.cased) value.pattern = literal_pattern(record_type_name(*number), false);
  }

  Rule& rule_;
  Findings& findings_;
};

}  // namespace

bool parse_selections(const YamlNode& detection, Rule& rule, Findings& findings) {
  SelectionParser parser(rule, findings);
  bool usable = true;
  for (std::size_t i = 0; i < detection.items.size(); ++i) {
    const YamlNode& name = detection.keys[i];
    if (name.text == "condition") continue;
    if (name.text == "timeframe") {
      findings.warning(name.place, "timeframe has no meaning without an aggregation; it is ignored");
      continue;
    }
    std::optional<Expression> expression = parser.selection(detection.items[i]);
    usable = usable && expression;
    if (expression) rule.selections.push_back({name.text, name.place, std::move(*expression)});
  }
  return usable;
}

}  // namespace nslookout::sigma
