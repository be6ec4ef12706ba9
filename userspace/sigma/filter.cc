#include "sigma/filter.h"

#include <algorithm>
#include <utility>

#include "sigma/condition.h"
#include "sigma/detection.h"

namespace nslookout::sigma {
namespace {

using Kind = YamlNode::Kind;

bool parse_rule_references(const YamlNode& node, Filter& filter, Findings& findings) {
  filter.rules_place = node.place;
  const YamlNode* rules = node.find("rules");
  if (rules == nullptr || rules->kind == Kind::map || rules->kind == Kind::null) {
    findings.broken(rules == nullptr ? node.place : rules->place,
                    "the filter must name its rules: a list of ids or names, or any");
    return false;
  }
  filter.rules_place = rules->place;
  if (rules->kind == Kind::scalar) {
    filter.any_rule = rules->text == "any";
    if (!filter.any_rule) {
      filter.rules.push_back(rules->text);
      filter.places.push_back(rules->place);
    }
    return true;
  }
  for (const YamlNode& item : rules->items) {
    if (item.kind != Kind::scalar) {
      findings.broken(item.place, "an element of rules must be an id or a name, this one is {}", describe(item.kind));
      return false;
    }
    filter.rules.push_back(item.text);
    filter.places.push_back(item.place);
  }
  return true;
}

bool has_negation(const Expression& expression) {
  return expression.kind == Expression::Kind::negation || std::ranges::any_of(expression.children, has_negation);
}

bool has_negation(const Rule& rule) {
  return has_negation(rule.condition) || std::ranges::any_of(rule.selections, [](const Selection& selection) {
           return has_negation(selection.expression);
         });
}

std::size_t part_count(const Expression& expression) {
  std::size_t count = 1;
  for (const Expression& child : expression.children) count += part_count(child);
  return count;
}

std::size_t part_count(const Rule& body) {
  std::size_t count = part_count(body.condition);
  for (const Selection& selection : body.selections) count += part_count(selection.expression);
  for (const Test& test : body.tests) count += test.values.size();
  return count;
}

void shift(Expression& expression, std::size_t tests, std::size_t selections) {
  if (expression.kind == Expression::Kind::test) expression.index += tests;
  if (expression.kind == Expression::Kind::selection) expression.index += selections;
  for (Expression& child : expression.children) shift(child, tests, selections);
}

void restrict_rule(Rule& rule, const Rule& body) {
  const std::size_t tests = rule.tests.size();
  const std::size_t selections = rule.selections.size();
  rule.tests.insert(rule.tests.end(), body.tests.begin(), body.tests.end());
  rule.selections.insert(rule.selections.end(), body.selections.begin(), body.selections.end());
  for (std::size_t i = selections; i < rule.selections.size(); ++i) {
    shift(rule.selections[i].expression, tests, selections);
  }
  Expression condition = body.condition;
  shift(condition, tests, selections);
  Expression both{Expression::Kind::all};
  both.children.push_back(std::move(rule.condition));
  both.children.push_back(std::move(condition));
  rule.condition = std::move(both);
}

// hit: parallel to the filter's names, those by which it applied to a rule.
bool applies(const Filter& filter, const Rule& rule, std::vector<bool>& hit) {
  const LogSource& wanted = filter.body.source;
  const auto fits = [](const std::string& attribute, const std::string& of_rule) {
    return attribute.empty() || attribute == of_rule;
  };
  if (!fits(wanted.category, rule.source.category) || !fits(wanted.product, rule.source.product) ||
      !fits(wanted.service, rule.source.service)) {
    return false;
  }
  bool named = false;
  for (std::size_t i = 0; i < filter.rules.size(); ++i) {
    if (!rule.is_called(filter.rules[i])) continue;
    hit[i] = true;
    named = true;
  }
  return filter.any_rule || named;
}

void warn_of_missed_names(const Filter& filter, const std::vector<bool>& hit, std::vector<Finding>& findings) {
  for (std::size_t i = 0; i < hit.size(); ++i) {
    if (hit[i]) continue;
    findings.push_back({FindingKind::warning, filter.body.file, filter.body.document, filter.places[i],
                        fmt::format("'{}' is no id or name of a rule that is loaded and that the filter's log source "
                                    "covers",
                                    filter.rules[i])});
  }
}

}  // namespace

std::optional<Filter> parse_filter(const YamlNode& document, std::size_t document_number, const RuleOptions& options,
                                   VariantBudget& variants, Findings& findings) {
  Filter filter;
  filter.body.file = findings.file();
  filter.body.document = document_number;
  filter.body.place = document.place;
  const bool metadata_usable = parse_metadata(document, filter.body, findings);
  if (!parse_log_source(document, filter.body.source, findings)) return std::nullopt;
  const YamlNode& node = *document.find("filter");
  if (node.kind != Kind::map) {
    findings.broken(node.place, "filter must be a map, this one is {}", describe(node.kind));
    return std::nullopt;
  }
  const bool references_usable = parse_rule_references(node, filter, findings);
  const bool selections_usable =
      parse_selections(node, {"condition", "rules"}, options.expansions, variants, filter.body, findings);
  const YamlNode* condition = node.find("condition");
  if (condition == nullptr) {
    findings.broken(node.place, "the filter has no condition");
    return std::nullopt;
  }
  if (!selections_usable || !references_usable || !metadata_usable) return std::nullopt;
  std::optional<Expression> expression = parse_condition(*condition, filter.body, findings);
  if (!expression) return std::nullopt;
  filter.body.condition = std::move(*expression);
  if (!has_negation(filter.body)) {
    findings.warning(condition->place,
                     "the filter has no 'not': its rules fire only where its condition holds, instead of being "
                     "suppressed there");
  }
  return filter;
}

void apply_filters(const std::vector<Filter>& filters, std::vector<Rule>& rules, std::vector<Finding>& findings) {
  std::size_t parts = 0;
  for (const Filter& filter : filters) {
    const Rule& body = filter.body;
    const std::size_t size = part_count(body);
    std::size_t applied = 0;
    std::vector<bool> hit(filter.rules.size(), false);
    for (Rule& rule : rules) {
      if (!applies(filter, rule, hit)) continue;
      ++applied;
      parts += size;
      if (parts > max_filter_parts) {
        findings.push_back({FindingKind::broken, body.file, body.document, filter.rules_place,
                            fmt::format("the filters add more than {} parts to the rules; name fewer rules or "
                                        "shorten the filter",
                                        max_filter_parts)});
        return;
      }
      restrict_rule(rule, body);
    }
    if (applied > 0) {
      warn_of_missed_names(filter, hit, findings);
      continue;
    }
    findings.push_back({FindingKind::warning, body.file, body.document, filter.rules_place,
                        "the filter applies to none of the rules that are loaded"});
  }
}

}  // namespace nslookout::sigma
