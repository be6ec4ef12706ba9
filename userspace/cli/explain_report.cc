#include "cli/explain_report.h"

#include <algorithm>

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "base/dns_name.h"
#include "base/escape.h"
#include "base/record_type.h"
#include "cli/check_verdict.h"
#include "cli/rule_text.h"

namespace nslookout::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t names_shown = 8;  // of one rule, in the text for people

std::string witness_text(const compile::Witness& witness) {
  auto name = wire_to_presentation(witness.wire);
  if (!witness.below) return name;
  return fmt::format("{}*.{}", witness.exact ? fmt::format("{}, ", name) : "", name);
}

std::string names_text(const std::vector<compile::Witness>& witnesses) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(names_shown, witnesses.size()); ++i) names.push_back(witness_text(witnesses[i]));
  const auto rest = witnesses.size() - names.size();
  return fmt::format("{}{}", fmt::join(names, ", "), rest > 0 ? fmt::format(" and {} more", rest) : "");
}

// "^evil" at the beginning of a name, "evil$" at its end.
std::string text_text(const compile::NameText& text) {
  return fmt::format("{}{}{}", text.at_start ? "^" : "", text.text, text.at_end ? "$" : "");
}

std::string texts_text(const std::vector<compile::NameText>& texts) {
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(names_shown, texts.size()); ++i) shown.push_back(text_text(texts[i]));
  const auto rest = texts.size() - shown.size();
  return fmt::format("{}{}", fmt::join(shown, ", "), rest > 0 ? fmt::format(" and {} more", rest) : "");
}

std::vector<std::string> type_names(const std::vector<std::uint16_t>& types) {
  std::vector<std::string> names;
  names.reserve(types.size());
  for (const std::uint16_t type : types) names.push_back(record_type_name(type));
  return names;
}

std::string_view reach_id(compile::Reach reach) {
  switch (reach) {
    case compile::Reach::by_name:
      return "by_name";
    case compile::Reach::every_query:
      return "every_query";
    case compile::Reach::never:
      return "never";
  }
  return "never";
}

// "one of 0x0070 set": the bits as in base/dns_flags.h.
std::string flags_text(compile::HeaderFlags flags) {
  std::vector<std::string> parts;
  if (flags.set != 0) parts.push_back(fmt::format("one of 0x{:04x} set", flags.set));
  if (flags.clear != 0) parts.push_back(fmt::format("one of 0x{:04x} not set", flags.clear));
  return fmt::format("{}", fmt::join(parts, " or "));
}

std::string rule_text(const sigma::Rule& rule, const compile::RulePlan& plan) {
  std::string text = escape_controls(fmt::format("{}: {}", place_text(rule.file, rule.place), rule_label(rule))) + "\n";
  text += fmt::format("  kernel    {}\n", escape_controls(plan.kernel));
  if (!plan.witnesses.empty()) text += fmt::format("  names     {}\n", escape_controls(names_text(plan.witnesses)));
  if (!plan.texts.empty()) text += fmt::format("  texts     {}\n", escape_controls(texts_text(plan.texts)));
  if (!plan.record_types.empty())
    text += fmt::format("  types     {}\n", fmt::join(type_names(plan.record_types), ", "));
  if (!plan.flags.empty()) text += fmt::format("  flags     {}\n", flags_text(plan.flags));
  text += fmt::format("  verifier  {}\n", escape_controls(plan.verifier));
  if (plan.firing.firing != compile::Firing::always) {
    text += fmt::format("  {:<9} {}\n", plan.firing.firing == compile::Firing::never ? "never" : "degraded",
                        escape_controls(plan.firing.reason));
  }
  const std::string obstacle = compile::why_not_blockable(rule, plan);
  if (plan.reach != compile::Reach::never) {
    text += fmt::format("  blocking  {}\n", obstacle.empty() ? "possible" : escape_controls("impossible: " + obstacle));
  }
  for (const auto& note : plan.notes) text += fmt::format("  note      {}\n", escape_controls(note));
  return text;
}

std::string refused_text(const Verdict& verdict) {
  std::string label = verdict.document != nullptr ? verdict.document->title : "";
  if (label.empty()) label = "untitled";
  const std::string heading = fmt::format("{}: {}", place_text(verdict.file, verdict.place()), label);
  return fmt::format("{}\n  refused   {}\n", escape_controls(heading), escape_controls(verdict.reason));
}

Json witnesses_json(const std::vector<compile::Witness>& witnesses) {
  Json names = Json::array();
  for (const auto& witness : witnesses) {
    names.push_back({{"name", wire_to_presentation(witness.wire)}, {"exact", witness.exact}, {"below", witness.below}});
  }
  return names;
}

Json texts_json(const std::vector<compile::NameText>& texts) {
  Json shown = Json::array();
  for (const auto& text : texts) {
    shown.push_back({{"text", text.text}, {"at_start", text.at_start}, {"at_end", text.at_end}});
  }
  return shown;
}

}  // namespace

std::string explain_text(const sigma::RuleSet& set, const compile::Plan& plan) {
  std::string text;
  for (const Verdict& verdict : verdicts_of(set, plan)) {
    if (verdict.plan != nullptr) {
      text += rule_text(*verdict.rule, *verdict.plan);
    } else if (verdict.is_loaded()) {
      text +=
          escape_controls(fmt::format("{}: {}", place_text(verdict.file, verdict.place()), verdict.document->title));
      text += "\n  kernel    lets out what its rules need\n  verifier  counts the events of its rules\n";
    } else if (!verdict.is_filter) {
      text += refused_text(verdict);
    }
  }
  const auto forcing = std::ranges::count(plan.rule_plans(), compile::Reach::every_query, &compile::RulePlan::reach);
  text += fmt::format("rules {}, names in the kernel {}, rules that force every query out of the kernel {}\n",
                      plan.rules().size(), plan.predicates().names.size(), forcing);
  return text;
}

std::string explain_json(const sigma::RuleSet& set, const compile::Plan& plan) {
  Json rules = Json::array();
  for (std::size_t i = 0; i < plan.rules().size(); ++i) {
    const auto& rule = plan.rules()[i];
    const auto& rule_plan = plan.rule_plans()[i];
    rules.push_back({{"file", rule.file},
                     {"line", rule.place.line},
                     {"column", rule.place.column},
                     {"id", rule.id},
                     {"title", rule.title},
                     {"reach", reach_id(rule_plan.reach)},
                     {"kernel_decides", rule_plan.kernel_decides},
                     {"blocking", compile::why_not_blockable(rule, rule_plan).empty()},
                     {"blocking_obstacle", compile::why_not_blockable(rule, rule_plan)},
                     {"degraded", rule_plan.firing.firing != compile::Firing::always},
                     {"reason", rule_plan.firing.reason},
                     {"kernel", rule_plan.kernel},
                     {"verifier", rule_plan.verifier},
                     {"names", witnesses_json(rule_plan.witnesses)},
                     {"texts", texts_json(rule_plan.texts)},
                     {"record_types", type_names(rule_plan.record_types)},
                     {"flags_set", rule_plan.flags.set},
                     {"flags_clear", rule_plan.flags.clear},
                     {"notes", rule_plan.notes}});
  }
  Json refused = Json::array();
  for (const Verdict& verdict : verdicts_of(set, plan)) {
    if (verdict.is_loaded() || verdict.is_filter) continue;
    refused.push_back({{"file", verdict.file},
                       {"line", verdict.place().line},
                       {"column", verdict.place().column},
                       {"title", verdict.document != nullptr ? verdict.document->title : ""},
                       {"reason", verdict.reason}});
  }
  const Json json = {{"every_query", plan.every_query()},
                     {"kernel_names", plan.predicates().names.size()},
                     {"rules", rules},
                     {"not_loaded", refused}};
  return ascii_json(json, 2) + "\n";
}

}  // namespace nslookout::cli
