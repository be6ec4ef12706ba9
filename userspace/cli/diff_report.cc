#include "cli/diff_report.h"

#include <algorithm>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/ascii_json.h"
#include "base/escape.h"
#include "base/text.h"

namespace nslookout::cli {
namespace {

using Json = nlohmann::ordered_json;
using Texts = std::set<std::string>;

constexpr std::size_t vanished_shown = 10;  // of each kind, in the text

Difference everything(const inventory::Inventory& inventory) {
  Difference all;
  for (const auto& [key, lookup] : inventory.lookups()) {
    const std::string process = inventory::program_of(lookup.event);
    const std::string package = inventory::package_of(lookup.event);
    NameSeen& name = all.names[lookup.event.dns->query];
    name.types.insert(lookup.event.dns->record_type);
    name.count += lookup.count;
    name.matched = name.matched || !lookup.rules.empty();
    if (!process.empty()) {
      name.processes.insert(process);
      all.processes.insert(process);
    }
    if (!package.empty()) {
      name.packages.insert(package);
      all.packages.insert(package);
    }
  }
  return all;
}

std::string line(const std::string& name, const NameSeen& seen) {
  std::string text = fmt::format("{} ({}, {})", name, fmt::join(seen.types, " "), counted(seen.count, "lookup"));
  if (!seen.processes.empty()) text += fmt::format(" by {}", fmt::join(seen.processes, ", "));
  if (!seen.packages.empty()) text += fmt::format(" of {}", fmt::join(seen.packages, ", "));
  if (seen.matched) text += ", matched";
  return text;
}

void add_section(std::string& text, const std::string& heading, const std::vector<std::string>& lines,
                 std::size_t shown) {
  if (lines.empty()) return;
  text += fmt::format("{} ({})\n", heading, lines.size());
  for (std::size_t i = 0; i < std::min(lines.size(), shown); ++i) text += "  " + escape_controls(lines[i]) + "\n";
  if (lines.size() > shown) text += fmt::format("  and {} more\n", lines.size() - shown);
}

std::vector<std::string> lines_of(const Texts& texts) { return {texts.begin(), texts.end()}; }

Json json_of(const Difference& difference) {
  Json names = Json::array();
  for (const auto& [name, seen] : difference.names) {
    names.push_back({{"name", name},
                     {"types", seen.types},
                     {"count", seen.count},
                     {"matched", seen.matched},
                     {"processes", seen.processes},
                     {"packages", seen.packages}});
  }
  return {{"names", names}, {"processes", difference.processes}, {"packages", difference.packages}};
}

}  // namespace

Difference difference(const inventory::Inventory& of, const inventory::Inventory& without) {
  Difference all = everything(of);
  const Difference known = everything(without);
  std::erase_if(all.names, [&](const auto& entry) { return known.names.contains(entry.first); });
  std::erase_if(all.processes, [&](const auto& process) { return known.processes.contains(process); });
  std::erase_if(all.packages, [&](const auto& package) { return known.packages.contains(package); });
  return all;
}

std::string diff_text(const Difference& fresh, const Difference& vanished) {
  if (fresh.empty() && vanished.empty()) return "the same names, processes and packages\n";
  std::string text;
  std::vector<std::string> names;
  for (const auto& [name, seen] : fresh.names) names.push_back(line(name, seen));
  add_section(text, "new names", names, names.size());
  add_section(text, "new processes", lines_of(fresh.processes), fresh.processes.size());
  add_section(text, "new packages", lines_of(fresh.packages), fresh.packages.size());
  if (fresh.empty()) text += "nothing new\n";
  names.clear();
  for (const auto& [name, seen] : vanished.names) names.push_back(name);
  add_section(text, "vanished names", names, vanished_shown);
  add_section(text, "vanished processes", lines_of(vanished.processes), vanished_shown);
  add_section(text, "vanished packages", lines_of(vanished.packages), vanished_shown);
  return text;
}

std::string diff_json(const Difference& fresh, const Difference& vanished) {
  const Json json = {{"new", json_of(fresh)}, {"vanished", json_of(vanished)}};
  return ascii_json(json, 2) + "\n";
}

}  // namespace nslookout::cli
