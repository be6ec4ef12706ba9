#include "sigma/detection.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "sigma/modifiers.h"

namespace nslookout::sigma {
namespace {

using Kind = YamlNode::Kind;

// The event of Windows that a log source stands for: every event of the source has this EventID.
std::optional<double> constant_event_id(const LogSource& source) {
  if (source.product != "windows") return std::nullopt;
  if (source.category == "dns_query") return 22;
  if (source.service == "dns-client") return 3008;
  if (source.service == "dns-server-analytic") return 257;
  return std::nullopt;
}

class SelectionParser {
 public:
  SelectionParser(Rule& rule, const Expansions& expansions, VariantBudget& variants, Findings& findings)
      : rule_(rule),
        expansions_(expansions),
        variants_(variants),
        findings_(findings),
        event_id_(constant_event_id(rule.source)) {}

  // A map of tests, one keyword, or a list of either.
  std::optional<Expression> selection(const YamlNode& node) {
    if (node.kind == Kind::map) return map(node);
    if (node.kind == Kind::sequence && !node.items.empty()) return list(node);
    if (node.kind == Kind::scalar) return keyword(node);
    findings_.broken(node.place, "a selection must be a map of fields, a keyword or a list of them, this one is {}",
                     node.kind == Kind::sequence ? "an empty list" : describe(node.kind));
    return std::nullopt;
  }

 private:
  std::optional<Expression> keyword(const YamlNode& node) {
    YamlNode key;
    key.kind = Kind::scalar;
    key.place = node.place;
    return test(key, node);
  }

  std::optional<Expression> list(const YamlNode& node) {
    Expression any{Expression::Kind::any};
    bool usable = true;
    for (const YamlNode& item : node.items) {
      if (item.kind != Kind::map && item.kind != Kind::scalar) {
        findings_.broken(item.place, "an element of a selection's list must be a map or a keyword, this one is {}",
                         describe(item.kind));
        usable = false;
        continue;
      }
      std::optional<Expression> child = item.kind == Kind::map ? map(item) : keyword(item);
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
    Place key_place = key_node.place;
    if (key_node.quoted) ++key_place.column;
    const std::optional<Key> key = parse_key(key_node.text, key_place, findings_);
    if (!key) return std::nullopt;
    Test test;
    test.field_name = key->field;
    test.field = key->field.empty() ? Field::any : field_from_name(key->field);
    test.key = key->field.empty() && key->modifiers.empty() ? "keyword" : key_node.text;
    test.place = key_node.place;
    test.all = key->has(Modifier::all);
    if (test.field == Field::any && key->has(Modifier::exists)) {
      findings_.broken(key_place, "'exists' needs a field");
      return std::nullopt;
    }
    if (!values(node, *key, test)) return std::nullopt;
    Expression leaf = event_id_ && test.field_name == "EventID" ? constant(test) : leaf_of(std::move(test));
    if (!key->has(Modifier::neq)) return leaf;
    Expression negation{Expression::Kind::negation};
    negation.children.push_back(std::move(leaf));
    return negation;
  }

  Expression leaf_of(Test test) {
    if (test.field == Field::other) warn_of_missing_field(test);
    rule_.tests.push_back(std::move(test));
    return {Expression::Kind::test, rule_.tests.size() - 1};
  }

  void warn_of_missing_field(const Test& test) {
    const Value& value = test.values.front();
    const bool holds = value.kind == Value::Kind::null || (value.kind == Value::Kind::exists && !value.exists);
    findings_.warning(test.place, "lookups have no field '{}' here: this test is always {}", test.field_name,
                      holds ? "true" : "false");
  }

  // A test of the EventID that each event of the rule's source has.
  [[nodiscard]] Expression constant(const Test& test) const {
    const auto holds = [this](const Value& value) {
      if (value.kind == Value::Kind::exists) return value.exists;
      const bool equality = value.kind == Value::Kind::text || value.kind == Value::Kind::number;
      return equality && value.order == Order::equal && plain_number(value.source) == event_id_;
    };
    const bool result = test.all ? std::ranges::all_of(test.values, holds) : std::ranges::any_of(test.values, holds);
    return {result ? Expression::Kind::all : Expression::Kind::any};
  }

  bool values(const YamlNode& node, const Key& key, Test& test) {
    if (node.kind != Kind::sequence) return value(node, key, test);
    if (node.items.empty()) {
      findings_.broken(node.place, "the list of values of '{}' is empty", test.key);
      return false;
    }
    if (key.has(Modifier::exists)) {
      findings_.broken(node.place, "'exists' takes true or false, not a list");
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

  bool value(const YamlNode& node, const Key& key, Test& test) {
    if (node.kind == Kind::sequence || node.kind == Kind::map) {
      findings_.broken(node.place, "a value of '{}' must be a text, a number or null, this one is {}", test.key,
                       describe(node.kind));
      return false;
    }
    std::optional<Value> value = parse_value(node, key, test.field, expansions_, variants_, findings_);
    if (!value) return false;
    test.values.push_back(std::move(*value));
    return true;
  }

  Rule& rule_;
  const Expansions& expansions_;
  VariantBudget& variants_;
  Findings& findings_;
  std::optional<double> event_id_;
};

}  // namespace

bool parse_selections(const YamlNode& detection, const std::vector<std::string_view>& other_keys,
                      const Expansions& expansions, VariantBudget& variants, Rule& rule, Findings& findings) {
  SelectionParser parser(rule, expansions, variants, findings);
  bool usable = true;
  for (std::size_t i = 0; i < detection.items.size(); ++i) {
    const YamlNode& name = detection.keys[i];
    if (std::ranges::find(other_keys, name.text) != other_keys.end()) continue;
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
