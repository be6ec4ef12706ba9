#include "cli/check_report.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/escape.h"
#include "cli/rule_text.h"

namespace nslookout::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string_view kind_words(sigma::FindingKind kind) {
  switch (kind) {
    case sigma::FindingKind::broken:
      return "invalid";
    case sigma::FindingKind::not_evaluated:
      return "not evaluated";
    case sigma::FindingKind::other_source:
      return "other log source";
    case sigma::FindingKind::warning:
      return "warning";
  }
  return "invalid";
}

// For machines; stable.
std::string_view kind_id(sigma::FindingKind kind) {
  switch (kind) {
    case sigma::FindingKind::broken:
      return "invalid";
    case sigma::FindingKind::not_evaluated:
      return "not_evaluated";
    case sigma::FindingKind::other_source:
      return "other_source";
    case sigma::FindingKind::warning:
      return "warning";
  }
  return "invalid";
}

std::size_t count(const sigma::RuleSet& set, sigma::FindingKind kind) {
  return static_cast<std::size_t>(
      std::ranges::count_if(set.findings, [kind](const auto& f) { return f.kind == kind; }));
}

// Whether lookups on this sensor can make the rule true, and why not.
struct Firing {
  std::string_view id;  // for machines; stable
  std::string text;
};

std::string missing_fields(const sigma::Rule& rule) {
  std::set<std::string> names;
  for (const auto& test : rule.tests) {
    if (test.field == sigma::Field::other) names.insert(test.field_name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

Firing firing_of(const sigma::Rule& rule, const compile::RulePlan& plan) {
  if (plan.reach == compile::Reach::never) return {"never", "never fires: no lookup can make it true"};
  if (plan.degraded) {
    return {"degraded", fmt::format("degraded: no lookup here has {}, so tests on it are false", missing_fields(rule))};
  }
  return {"can_fire", "can fire"};
}

// Lines by file, line and column; those of one place stay in the order in which they came.
using Lines = std::multimap<std::tuple<std::string, int, int>, std::string>;

void add_line(Lines& lines, const std::string& file, sigma::Place place, std::string_view text) {
  lines.emplace(std::tuple(file, place.line, place.column), fmt::format("{}: {}", place_text(file, place), text));
}

}  // namespace

std::string check_text(const sigma::RuleSet& set, const compile::Plan& plan) {
  Lines lines;
  for (std::size_t i = 0; i < set.rules.size(); ++i) {
    const auto& rule = set.rules[i];
    const auto& rule_plan = plan.rule_plans()[i];
    add_line(lines, rule.file, rule.place,
             fmt::format("valid, {}: {}", firing_of(rule, rule_plan).text, rule_label(rule)));
    for (const auto& note : rule_plan.notes) add_line(lines, rule.file, rule.place, fmt::format("note: {}", note));
  }
  for (const auto& finding : set.findings) {
    add_line(lines, finding.file, finding.place, fmt::format("{}: {}", kind_words(finding.kind), finding.what));
  }
  std::string text;
  for (const auto& [place, line] : lines) text += escape_controls(line) + "\n";
  text += fmt::format("files {}, valid rules {}, invalid {}, not evaluated {}, of another log source {}, warnings {}\n",
                      set.files, set.rules.size(), count(set, sigma::FindingKind::broken),
                      count(set, sigma::FindingKind::not_evaluated), count(set, sigma::FindingKind::other_source),
                      count(set, sigma::FindingKind::warning));
  return text;
}

std::string check_json(const sigma::RuleSet& set, const compile::Plan& plan) {
  Json rules = Json::array();
  for (std::size_t i = 0; i < set.rules.size(); ++i) {
    const auto& rule = set.rules[i];
    const auto firing = firing_of(rule, plan.rule_plans()[i]);
    rules.push_back({{"file", rule.file},
                     {"line", rule.place.line},
                     {"column", rule.place.column},
                     {"id", rule.id},
                     {"title", rule.title},
                     {"level", rule.level},
                     {"firing", firing.id},
                     {"why", firing.text},
                     {"notes", plan.rule_plans()[i].notes}});
  }
  Json findings = Json::array();
  for (const auto& finding : set.findings) {
    findings.push_back({{"file", finding.file},
                        {"line", finding.place.line},
                        {"column", finding.place.column},
                        {"kind", kind_id(finding.kind)},
                        {"text", finding.what}});
  }
  const Json json = {
      {"valid", set.usable().has_value()}, {"files", set.files}, {"rules", rules}, {"findings", findings}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nslookout::cli
