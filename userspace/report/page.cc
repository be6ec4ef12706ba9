#include "report/page.h"

#include <array>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "report/grouping.h"
#include "report/page_files.h"
#include "report/visible.h"

namespace nslookout::report {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t milliseconds(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// What is absent is left out: most of a process's fields are, and a page has thousands.
void set(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = visible(text);
}

std::string words(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) {
    if (!text.empty()) text += ' ';
    const bool plain = !argument.empty() && argument.find_first_of(" \t\n\"'\\$`") == std::string::npos;
    text += plain ? argument : fmt::format("'{}'", argument);
  }
  return text;
}

Json process_json(const TreeProcess& node) {
  Json json = Json::object();
  if (node.parent) json["parent"] = *node.parent;
  const event::Process& process = node.process;
  if (process.pid != 0) json["pid"] = process.pid;
  set(json, "program", program_name(process));
  set(json, "executable", process.executable);
  set(json, "script", process.script);
  set(json, "argv", words(process.command_line));
  set(json, "user", process.user);
  set(json, "cwd", process.cwd);
  if (process.start_time) json["start"] = milliseconds(*process.start_time);
  set(json, "package", node.package);
  set(json, "container", node.container);
  set(json, "pod", node.pod);
  set(json, "step", node.step);
  set(json, "host", node.host);
  return json;
}

// Rules by their number in the page, each once.
class Rules {
 public:
  std::size_t number(const event::Rule& rule) {
    const auto [found, fresh] = numbers_.try_emplace({rule.id, rule.title}, numbers_.size());
    if (fresh) {
      Json json = Json::object();
      set(json, "id", rule.id);
      set(json, "title", rule.title);
      json["level"] = visible(rule.level.empty() ? "medium" : rule.level);
      set(json, "file", rule.file);
      json_.push_back(std::move(json));
    }
    return found->second;
  }

  [[nodiscard]] const Json& json() const { return json_; }

 private:
  std::map<std::pair<std::string, std::string>, std::size_t> numbers_;
  Json json_ = Json::array();
};

Json lookup_json(const TreeLookup& lookup, Rules& rules) {
  Json json = {{"process", lookup.process}, {"name", visible(lookup.name)}};
  std::string types;
  for (const std::string& type : lookup.types) types += (types.empty() ? "" : ", ") + type;
  set(json, "types", types);
  json["count"] = lookup.count;
  json["first"] = milliseconds(lookup.first);
  json["last"] = milliseconds(lookup.last);
  if (lookup.times.counts().size() > 1) {
    Json times = Json::array({lookup.times.span_ms()});
    for (const auto& [span, count] : lookup.times.counts()) {
      times.push_back(span * lookup.times.span_ms());
      times.push_back(count);
    }
    json["times"] = std::move(times);
  }
  if (lookup.rules.empty()) return json;
  json["outcome"] = outcome_of(lookup.rules, lookup.action);
  json["level"] = visible(level_of(lookup.rules));
  for (const event::Rule& rule : lookup.rules) json["rules"].push_back(rules.number(rule));
  return json;
}

Json page_json(const Tree& tree, const PageFacts& facts) {
  Rules rules;
  Json processes = Json::array();
  Json lookups = Json::array();
  for (const TreeProcess& node : tree.processes()) processes.push_back(process_json(node));
  for (const TreeLookup& lookup : tree.lookups()) lookups.push_back(lookup_json(lookup, rules));
  Json losses = Json::array();
  for (const std::string& sentence : tree.losses()) losses.push_back(visible(sentence));
  Json hosts = Json::array();
  for (const std::string& host : tree.hosts()) hosts.push_back(visible(host));
  Json sources = Json::array();
  for (const std::string& source : facts.sources) sources.push_back(visible(source));
  return {{"title", visible(facts.title)},
          {"version", facts.version},
          {"made", milliseconds(facts.made)},
          {"since", facts.since},
          {"hosts", hosts},
          {"sources", sources},
          {"losses", losses},
          {"rules", rules.json()},
          {"processes", processes},
          {"lookups", lookups}};
}

// Inside a JSON string an escape says the same, and no tag or comment can begin.
std::string for_script_element(const std::string& json) {
  std::string safe;
  safe.reserve(json.size() + 64);
  for (const char c : json) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string policy() {
  return fmt::format(
      "default-src 'none'; img-src data:; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action "
      "'none'",
      page_files::script_sha256, page_files::style_sha256);
}

}  // namespace

// The markers stand in the page in this order; what is put in is not looked at again.
std::string page_html(const Tree& tree, const PageFacts& facts) {
  const std::array<std::pair<std::string_view, std::string>, 4> parts = {{
      {"@policy@", policy()},
      {"@style@", std::string(page_files::style)},
      {"@data@", for_script_element(ascii_json(page_json(tree, facts)))},
      {"@script@", std::string(page_files::script)},
  }};
  std::string_view rest = page_files::html;
  std::string page;
  for (const auto& [marker, text] : parts) {
    const std::size_t at = rest.find(marker);
    page += rest.substr(0, at);
    page += text;
    rest.remove_prefix(at + marker.size());
  }
  page += rest;
  return page;
}

}  // namespace nslookout::report
