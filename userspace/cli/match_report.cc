#include "cli/match_report.h"

#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "base/escape.h"
#include "cli/rule_text.h"

namespace nslookout::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string hit_text(const match::Hit& hit) {
  std::string text = fmt::format("{}: {}", hit.level().empty() ? "no level" : hit.level(),
                                 hit.rule != nullptr ? rule_label(*hit.rule) : hit.list->id);
  for (const auto& [field, value] : hit.matched) text += fmt::format(", {}={}", field, value);
  return fmt::format("{}, {}", text, hit.file());
}

}  // namespace

std::string match_text(const std::string& name, const std::vector<match::Hit>& hits) {
  if (hits.empty()) return escape_controls(name) + ": no rule matches\n";
  std::string text;
  for (const auto& hit : hits) text += escape_controls(fmt::format("{}: {}", name, hit_text(hit))) + "\n";
  return text;
}

std::string match_json(const std::string& name, const std::vector<match::Hit>& hits) {
  Json rules = Json::array();
  for (const auto& hit : hits) {
    Json matched = Json::array();
    for (const auto& [field, value] : hit.matched) matched.push_back({{"field", field}, {"value", value}});
    rules.push_back(
        {{"id", hit.id()}, {"title", hit.title()}, {"level", hit.level()}, {"file", hit.file()}, {"matched", matched}});
  }
  const Json json = {{"query", name}, {"rules", rules}};
  return ascii_json(json) + "\n";
}

}  // namespace nslookout::cli
