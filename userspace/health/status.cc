#include "health/status.h"

#include <unistd.h>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "base/escape.h"
#include "base/text.h"

namespace nslookout::health {
namespace {

using Json = nlohmann::ordered_json;

std::string time_text(WallTime time) {
  return fmt::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(time));
}

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

Json json_of(const RuleState& rule) {
  Json json = {{"id", rule.id},     {"title", rule.title}, {"level", rule.level},
               {"file", rule.file}, {"hits", rule.hits},   {"reach", rule.reach}};
  json["kernel"] = {{"names", rule.names}, {"texts", rule.texts}, {"record_types", rule.types}};
  if (!rule.never_because.empty()) json["never_because"] = rule.never_because;
  return json;
}

Json json_of(const std::vector<RuleState>& rules) {
  Json json = Json::array();
  for (const RuleState& rule : rules) json.push_back(json_of(rule));
  return json;
}

Json json_of(const std::vector<Count>& counts) {
  Json json = Json::object();
  for (const Count& count : counts) json[count.of] = count.count;
  return json;
}

Json json_of(const GenerationState& generation) {
  return {{"number", generation.number},
          {"loaded", time_text(generation.loaded)},
          {"load_seconds", seconds(generation.load_time)},
          {"reloads", generation.reloads},
          {"reload_failures", generation.reload_failures},
          {"last_refusal", generation.last_refusal}};
}

// The texts of rules are somebody else's: no control character reaches the terminal.
std::string shown(const Json& text) { return escape_controls(text.get<std::string>()); }

std::string duration_text(std::uint64_t seconds) {
  const std::uint64_t minutes = seconds / 60;
  const std::uint64_t hours = minutes / 60;
  if (minutes == 0) return fmt::format("{} s", seconds);
  if (hours == 0) return fmt::format("{} min {} s", minutes, seconds % 60);
  return fmt::format("{} d {} h {} min", hours / 24, hours % 24, minutes % 60);
}

std::string kernel_text(const Json& rule) {
  if (rule.contains("never_because")) return "never: " + shown(rule.at("never_because"));
  std::string reach = shown(rule.at("reach"));
  if (reach != "names") return reach;
  std::string text;
  const auto add = [&](const char* key, const char* word) {
    const auto number = rule.at("kernel").at(key).get<std::size_t>();
    if (number > 0) text += (text.empty() ? "" : ", ") + counted(number, word);
  };
  add("names", "name");
  add("texts", "text");
  add("record_types", "record type");
  return text.empty() ? "flags of the header" : text;
}

void add_rules(std::string& text, const char* heading, const Json& rules) {
  if (rules.empty()) return;
  text += fmt::format("\n{}\n", heading);
  for (const Json& rule : rules) {
    const std::string id = rule.at("id").get<std::string>().empty() ? "" : fmt::format("  [{}]", shown(rule.at("id")));
    text += fmt::format("  {:>8}  {:<13}  {}{}  ({})\n", rule.at("hits").get<std::uint64_t>(), shown(rule.at("level")),
                        shown(rule.at("title")), id, kernel_text(rule));
  }
}

void add_counts(std::string& text, const char* heading, const Json& counts) {
  std::string line;
  for (const auto& [word, count] : counts.items()) {
    if (count.get<std::uint64_t>() == 0) continue;
    line += fmt::format("{}{} {}", line.empty() ? "" : ", ", escape_controls(word), count.get<std::uint64_t>());
  }
  text += fmt::format("{:<12} {}\n", heading, line.empty() ? "none" : line);
}

std::string text_of(const Json& status) {
  const Json& generation = status.at("generation");
  std::string text = fmt::format("{:<12} nslookout {}, pid {}, for {}\n", "agent", shown(status.at("version")),
                                 status.at("pid").get<std::int64_t>(),
                                 duration_text(status.at("uptime_seconds").get<std::uint64_t>()));
  text += fmt::format("{:<12} {} ({})\n", "backend", shown(status.at("backend").at("name")),
                      shown(status.at("backend").at("reason")));
  text += fmt::format("{:<12} {}\n", "mode", shown(status.at("mode")));
  text += fmt::format("{:<12} {}, loaded {} in {:.3f} s; {}, {} refused\n", "generation",
                      generation.at("number").get<std::uint64_t>(), shown(generation.at("loaded")),
                      generation.at("load_seconds").get<double>(),
                      counted(generation.at("reloads").get<std::size_t>(), "reload"),
                      generation.at("reload_failures").get<std::uint64_t>());
  if (!generation.at("last_refusal").get<std::string>().empty()) {
    text += fmt::format("{:<12} {}\n", "refused", shown(generation.at("last_refusal")));
  }
  text += fmt::format("{:<12} {} seen, {} candidates, {} refused by the verifier\n", "lookups",
                      status.at("counters").at("queries").get<std::uint64_t>(),
                      status.at("counters").at("candidates").get<std::uint64_t>(),
                      status.at("candidates").at("refused").get<std::uint64_t>());
  add_counts(text, "events", status.at("events"));
  add_counts(text, "lost", status.at("lost"));
  for (const Json& output : status.at("outputs")) {
    text += fmt::format("{:<12} {}: {} written, {} waiting, {} lost{}\n", "output", shown(output.at("output")),
                        output.at("written").get<std::uint64_t>(), output.at("waiting").get<std::uint64_t>(),
                        output.at("lost").get<std::uint64_t>(),
                        output.at("finished").get<bool>() ? "; takes nothing any more" : "");
  }
  add_rules(text, "hits, level and rule (what the kernel has of it)", status.at("rules"));
  add_rules(text, "correlations", status.at("correlations"));
  add_rules(text, "lists", status.at("lists"));
  return text;
}

}  // namespace

std::string status_json(const Snapshot& snapshot, WallTime now) {
  Json json;
  json["version"] = snapshot.version;
  json["revision"] = snapshot.revision;
  json["pid"] = ::getpid();
  json["started"] = time_text(snapshot.started);
  json["uptime_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(now - snapshot.started).count();
  json["backend"] = {{"name", snapshot.backend}, {"reason", snapshot.backend_reason}};
  json["mode"] = snapshot.mode;
  json["generation"] = json_of(snapshot.generation);
  json["events"] = json_of(snapshot.events);
  json["hits"] = json_of(snapshot.hits);
  json["lost"] = json_of(snapshot.lost);
  json["candidates"] = {{"verified", snapshot.verified}, {"refused", snapshot.refused}};
  json["counters"] = Json::object();
  for (const CounterValue& counter : snapshot.counters) json["counters"][counter.name] = counter.count;
  json["outputs"] = Json::array();
  for (const OutputState& output : snapshot.outputs) {
    json["outputs"].push_back({{"output", output.output},
                               {"written", output.written},
                               {"waiting", output.waiting},
                               {"lost", output.lost},
                               {"finished", output.finished}});
  }
  json["tables"] = Json::array();
  for (const TableSize& table : snapshot.tables) {
    Json size = {{"table", table.table}, {"capacity", table.capacity}};
    if (table.entries) size["entries"] = *table.entries;
    json["tables"].push_back(std::move(size));
  }
  json["rules"] = json_of(snapshot.rules);
  json["correlations"] = json_of(snapshot.correlations);
  json["lists"] = json_of(snapshot.lists);
  return ascii_json(json) + "\n";
}

Result<std::string> status_text(std::string_view json) {
  try {
    return text_of(Json::parse(json));
  } catch (const Json::exception& error) {
    return fail(ErrorClass::runtime, "what the agent answered is no status: {}", error.what());
  }
}

}  // namespace nslookout::health
