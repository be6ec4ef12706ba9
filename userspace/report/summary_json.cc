#include <nlohmann/json.hpp>

#include "base/ascii_json.h"

#include "report/summary.h"

namespace nslookout::report {
namespace {

using Json = nlohmann::ordered_json;

Json name_json(const Asked& asked) {
  Json rules = Json::array();
  for (const event::Rule& rule : asked.rules) {
    rules.push_back({{"id", rule.id}, {"title", rule.title}, {"level", rule.level}, {"file", rule.file}});
  }
  return {{"name", asked.name},         {"types", asked.types},   {"lookups", asked.lookups},
          {"programs", asked.programs}, {"step", asked.step},     {"package", asked.package},
          {"outcome", asked.outcome()}, {"level", asked.level()}, {"rules", rules}};
}

// "##[" and "##vso[" are commands to CI systems wherever they stand in a line; inside a JSON string an escape says the same.
std::string without_commands(std::string json) {
  for (auto at = json.find("##"); at != std::string::npos; at = json.find("##", at)) json.replace(at + 1, 1, "\\u0023");
  return json;
}

}  // namespace

std::string summary_json(const Job& job) {
  const Totals totals = job.totals();
  Json names = Json::array();
  for (const Asked* asked : job.matched()) names.push_back(name_json(*asked));
  for (const Asked* asked : job.names()) {
    if (!asked->matched()) names.push_back(name_json(*asked));
  }
  const Json json = {{"totals",
                      {{"names", totals.names},
                       {"lookups", totals.lookups},
                       {"matched", totals.matched},
                       {"blocked", totals.blocked},
                       {"would_block", totals.would_block},
                       {"level", totals.level}}},
                     {"losses", job.losses()},
                     {"names", names}};
  return without_commands(ascii_json(json)) + "\n";
}

}  // namespace nslookout::report
