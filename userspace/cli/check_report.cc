#include "cli/check_report.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "base/escape.h"
#include "cli/check_verdict.h"
#include "cli/commands.h"
#include "cli/rule_text.h"

namespace nslookout::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return ascii_json(json, 2) + "\n"; }

std::string label_of(const sigma::Document& document) {
  if (document.title.empty()) return document.id;
  return document.id.empty() ? document.title : fmt::format("{} ({})", document.title, document.id);
}

std::string firing_text(const Verdict& verdict) {
  if (verdict.fires == "always") return "can fire";
  if (verdict.fires == "degraded") return fmt::format("degraded: {}", verdict.reason);
  return fmt::format("never fires: {}", verdict.reason);
}

class TextReport {
 public:
  void add(const Verdict& verdict) {
    for (const sigma::Finding* error : verdict.errors) line(verdict.file, error->place, "invalid: " + error->what);
    if (verdict.valid && verdict.document != nullptr) {
      const std::string state = verdict.is_filter ? "valid filter" : "valid, " + firing_text(verdict);
      line(verdict.file, verdict.document->place, fmt::format("{}: {}", state, label_of(*verdict.document)));
    }
    for (const sigma::Finding* warning : verdict.warnings) {
      line(verdict.file, warning->place, "warning: " + warning->what);
    }
    if (verdict.plan == nullptr) return;
    for (const std::string& note : verdict.plan->notes) line(verdict.file, verdict.document->place, "note: " + note);
  }

  std::string take() { return std::move(text_); }

 private:
  void line(const std::string& file, sigma::Place place, const std::string& what) {
    text_ += escape_controls(fmt::format("{}: {}", place_text(file, place), what)) + "\n";
  }

  std::string text_;
};

std::size_t count_if(const std::vector<Verdict>& verdicts, auto predicate) {
  return static_cast<std::size_t>(std::ranges::count_if(verdicts, predicate));
}

std::string summary(const sigma::RuleSet& set, const std::vector<Verdict>& verdicts) {
  const auto firing = [&](std::string_view id) {
    return count_if(verdicts, [id](const Verdict& v) { return v.is_loaded() && v.fires == id; });
  };
  const std::size_t invalid = count_if(verdicts, [](const Verdict& v) { return !v.valid; });
  const std::size_t elsewhere =
      count_if(verdicts, [](const Verdict& v) { return v.valid && !v.is_loaded() && !v.is_filter; });
  return fmt::format(
      "files {}, rules that can fire {}, degraded {}, never {}, of another log source {}, invalid {}, filters {}, "
      "warnings {}\n",
      set.files, firing("always"), firing("degraded"), firing("never"), elsewhere, invalid, set.filters.size(),
      std::ranges::count(set.findings, sigma::FindingKind::warning, &sigma::Finding::kind));
}

Json rule_json(const Verdict& verdict) {
  Json errors = Json::array();
  for (const sigma::Finding* error : verdict.errors) {
    errors.push_back({{"line", error->place.line}, {"column", error->place.column}, {"message", error->what}});
  }
  const bool about_file = verdict.document == nullptr;
  Json json = {{"file", verdict.file},
               {"document", about_file ? 0 : verdict.document->number},
               {"id", about_file ? "" : verdict.document->id},
               {"title", about_file ? "" : verdict.document->title},
               {"status", verdict.valid ? "valid" : "invalid"},
               {"fires", verdict.fires},
               {"reason", verdict.reason},
               {"errors", errors}};
  if (verdict.plan != nullptr) {
    const std::string obstacle = compile::why_not_blockable(*verdict.rule, *verdict.plan);
    json["blocking"] = obstacle.empty();
    json["blocking_obstacle"] = obstacle;
  }
  return json;
}

Json sarif_result(std::string_view id, std::string_view level, const std::string& file, sigma::Place place,
                  const std::string& text) {
  Json location = {{"artifactLocation", {{"uri", uri_of_path(file)}}}};
  if (place.line > 0) location["region"] = {{"startLine", place.line}, {"startColumn", std::max(place.column, 1)}};
  return {{"ruleId", id},
          {"level", level},
          {"message", {{"text", text}}},
          {"locations", Json::array({{{"physicalLocation", location}}})}};
}

void add_sarif_results(const Verdict& verdict, Json& results) {
  for (const sigma::Finding* error : verdict.errors) {
    results.push_back(sarif_result("invalid-rule", "error", verdict.file, error->place, error->what));
  }
  for (const sigma::Finding* warning : verdict.warnings) {
    results.push_back(sarif_result("doubtful-rule", "warning", verdict.file, warning->place, warning->what));
  }
  if (!verdict.valid || verdict.document == nullptr) return;
  if (verdict.fires == "never" || verdict.fires == "degraded") {
    const std::string_view id = verdict.fires == "never" ? "never-fires" : "degraded-rule";
    results.push_back(sarif_result(id, "note", verdict.file, verdict.document->place, verdict.reason));
  }
}

}  // namespace

std::string check_text(const sigma::RuleSet& set, const compile::Plan& plan) {
  const std::vector<Verdict> verdicts = verdicts_of(set, plan);
  TextReport report;
  for (const Verdict& verdict : verdicts) report.add(verdict);
  return report.take() + summary(set, verdicts);
}

std::string check_json(const sigma::RuleSet& set, const compile::Plan& plan) {
  Json rules = Json::array();
  for (const Verdict& verdict : verdicts_of(set, plan)) {
    if (!verdict.is_filter) rules.push_back(rule_json(verdict));
  }
  return dump({{"rules", rules}});
}

std::string check_sarif(const sigma::RuleSet& set, const compile::Plan& plan) {
  Json results = Json::array();
  for (const Verdict& verdict : verdicts_of(set, plan)) add_sarif_results(verdict, results);
  Json kinds = Json::array();
  for (const auto& [id, text] : {std::pair{"invalid-rule", "The rule is refused"},
                                 {"doubtful-rule", "The rule is loaded; its author should look"},
                                 {"degraded-rule", "Some of the rule's tests never hold for lookups here"},
                                 {"never-fires", "No lookup here makes the rule true"}}) {
    kinds.push_back({{"id", id}, {"shortDescription", {{"text", text}}}});
  }
  const Json driver = {{"name", "nslookout"}, {"version", version_number()}, {"rules", kinds}};
  return dump({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
               {"version", "2.1.0"},
               {"runs", Json::array({{{"tool", {{"driver", driver}}}, {"results", results}}})}});
}

}  // namespace nslookout::cli
