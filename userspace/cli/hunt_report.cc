#include "cli/hunt_report.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "base/escape.h"
#include "base/text.h"
#include "cli/observed.h"

namespace nslookout::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string command_line(const event::Event& event) {
  return event.process ? fmt::format("{}", fmt::join(event.process->command_line, " ")) : "";
}

// ", by curl of npm/left-pad"; empty of a lookup that no process is known of.
std::string who(const inventory::Lookup& lookup) {
  std::string text;
  const auto add = [&](const char* word, const std::string& value) {
    if (!value.empty()) text += fmt::format("{} {} {}", text.empty() ? "," : "", word, value);
  };
  add("by", inventory::program_of(lookup.event));
  add("of", inventory::package_of(lookup.event));
  add("in", inventory::container_of(lookup.event));
  if (lookup.event.pod) add("in the pod", lookup.event.pod->namespace_name + "/" + lookup.event.pod->name);
  return text;
}

std::string times(const inventory::Lookup& lookup) {
  if (lookup.count == 1) return time_text(lookup.first);
  return fmt::format("{}, {} to {}", counted(lookup.count, "time"), time_text(lookup.first), time_text(lookup.last));
}

const char* action_text(event::Action action) {
  switch (action) {
    case event::Action::blocked:
      return ", blocked then";
    case event::Action::would_block:
      return ", matched another rule then (dry run)";
    case event::Action::audited:
      return ", matched another rule then";
    default:
      return "";
  }
}

}  // namespace

std::string hunt_text(const inventory::Lookup& lookup) {
  std::string text;
  for (const event::Rule& rule : lookup.rules) {
    const std::string title =
        rule.title.empty() || rule.title == rule.id ? rule.id : fmt::format("{} ({})", rule.title, rule.id);
    text += escape_controls(fmt::format("{} {}: {}: {}, {}{}{}, {}", lookup.event.dns->query,
                                        lookup.event.dns->record_type, rule.level.empty() ? "no level" : rule.level,
                                        title, times(lookup), who(lookup), action_text(lookup.action), rule.file)) +
            "\n";
  }
  return text;
}

std::string hunt_json(const inventory::Lookup& lookup) {
  Json rules = Json::array();
  for (const event::Rule& rule : lookup.rules) {
    rules.push_back({{"id", rule.id}, {"title", rule.title}, {"level", rule.level}, {"file", rule.file}});
  }
  const event::Event& event = lookup.event;
  const Json json = {{"name", event.dns->query},
                     {"type", event.dns->record_type},
                     {"first", time_text(lookup.first)},
                     {"last", time_text(lookup.last)},
                     {"count", lookup.count},
                     {"process", inventory::program_of(event)},
                     {"command_line", command_line(event)},
                     {"package", inventory::package_of(event)},
                     {"container", inventory::container_of(event)},
                     {"pod", event.pod ? event.pod->namespace_name + "/" + event.pod->name : ""},
                     {"event_id", event.event_id},
                     {"rules", rules}};
  return ascii_json(json) + "\n";
}

}  // namespace nslookout::cli
