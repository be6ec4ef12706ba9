// What one inventory has and another has not, as text and as JSON.
//
// A name is new when no program asked for it before; a process is its executable with its script; a package is that with its
// version and script. Names from outside are escaped in the text, one line each whatever they hold.
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "inventory/inventory.h"

namespace nslookout::cli {

struct NameSeen {
  std::set<std::string> types, processes, packages;
  std::uint64_t count = 0;
  bool matched = false;
};

struct Difference {
  std::map<std::string, NameSeen> names;  // with what the inventory that has them knows
  std::set<std::string> processes, packages;

  [[nodiscard]] bool empty() const { return names.empty() && processes.empty() && packages.empty(); }
};

// What `of` has and `without` has not.
[[nodiscard]] Difference difference(const inventory::Inventory& of, const inventory::Inventory& without);

[[nodiscard]] std::string diff_text(const Difference& fresh, const Difference& vanished);
[[nodiscard]] std::string diff_json(const Difference& fresh, const Difference& vanished);

}  // namespace nslookout::cli
