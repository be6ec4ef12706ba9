#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "base/escape.h"
#include "base/text.h"
#include "report/summary.h"
#include "report/visible.h"
#include "report/words.h"

namespace nslookout::report {
namespace {

using Json = nlohmann::ordered_json;

// SARIF's three levels. The last result of code scanning that stops a merge is "error".
const char* sarif_level(const Asked& asked) {
  return asked.rank() >= 4 ? "error" : asked.rank() == 3 ? "warning" : "note";
}

Json result_json(const Asked& asked, const event::Rule& rule) {
  std::string text = fmt::format("{} {}, {} by {}", visible(asked.name), asked.outcome(),
                                 counted(asked.lookups, "lookup"), visible(programs_text(asked)));
  if (!asked.package.empty()) text += ", package " + visible(asked.package);
  if (!asked.step.empty()) text += ", step " + visible(asked.step);
  const Json place = {{"artifactLocation", {{"uri", uri_of_path(rule.file.empty() ? "nslookout" : rule.file)}}},
                      {"region", {{"startLine", 1}}}};
  return {{"ruleId", rule.id},
          {"level", sarif_level(asked)},
          {"message", {{"text", text}}},
          {"locations", Json::array({{{"physicalLocation", place}}})},
          {"partialFingerprints", {{"nslookout/v1", asked.name + "\n" + asked.package}}}};
}

}  // namespace

std::string summary_sarif(const Job& job, const std::string& version) {
  Json results = Json::array();
  std::map<std::string, std::string> titles;
  for (const Asked* asked : job.matched()) {
    for (const event::Rule& rule : asked->rules) {
      titles.emplace(rule.id, rule.title.empty() ? rule.id : rule.title);
      results.push_back(result_json(*asked, rule));
    }
  }
  Json rules = Json::array();
  for (const auto& [id, title] : titles)
    rules.push_back({{"id", id}, {"shortDescription", {{"text", visible(title)}}}});
  const Json driver = {{"name", "nslookout"}, {"version", version}, {"rules", rules}};
  const Json json = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                     {"version", "2.1.0"},
                     {"runs", Json::array({{{"tool", {{"driver", driver}}}, {"results", results}}})}};
  return ascii_json(json, 2) + "\n";
}

}  // namespace nslookout::report
