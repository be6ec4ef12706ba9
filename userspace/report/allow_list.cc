#include "report/allow_list.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/public_suffix.h"
#include "base/text.h"
#include "inventory/lookup.h"
#include "report/grouping.h"
#include "report/visible.h"

namespace nslookout::report {
namespace {

constexpr std::size_t askers_shown = 4;
constexpr std::size_t names_shown = 50;  // of those that are left out
constexpr std::size_t asker_characters = 80;

bool is_plain(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

std::string asker_of(const event::Event& event) {
  std::string text = event.process ? program_name(*event.process) : "a process that is not known";
  if (const std::string package = inventory::package_of(event); !package.empty()) text += " of " + package;
  if (const std::string step = step_of(event); !step.empty()) text += " in " + step;
  return visible(text, asker_characters);
}

std::string askers_text(const std::set<std::string>& askers) {
  std::string text;
  std::size_t shown = 0;
  for (const std::string& asker : askers) {
    if (shown++ == askers_shown) return text + fmt::format(" and {} more", askers.size() - askers_shown);
    text += (text.empty() ? "" : "; ") + asker;
  }
  return text;
}

// As comments.
std::string left_out(const char* why, const std::set<std::string>& names) {
  if (names.empty()) return "";
  std::string text = fmt::format("\n# Left out, {}:\n", why);
  std::size_t shown = 0;
  for (const std::string& name : names) {
    if (shown++ == names_shown) return text + fmt::format("#   and {} more\n", names.size() - names_shown);
    text += fmt::format("#   {}\n", visible(name, 300));
  }
  return text;
}

}  // namespace

void AllowList::add(const event::Event& event) {
  if (!is_told(event)) return;
  const std::string& name = event.dns->query;
  if (!event.rules.empty()) matched_.insert(name);
  if (!is_plain(name)) {
    odd_.insert(name);
    return;
  }
  const std::string_view registrable = registrable_domain(name);
  Domain& domain = domains_[registrable.empty() ? name : std::string(registrable)];
  domain.names.insert(name);
  if (domain.askers.size() < names_shown) domain.askers.insert(asker_of(event));
}

std::string AllowList::text(std::size_t collapse) const {
  std::string list =
      "# Names that a job looked up, proposed by `nslookout ci allow-list`. Read it before it is used: a name that "
      "does not\n"
      "# belong here is let through from now on.\n"
      "#   nslookout ci start --mode enforce --allow-only exact:THIS-FILE\n";
  for (const auto& [registrable, domain] : domains_) {
    std::set<std::string> names;
    std::ranges::set_difference(domain.names, matched_, std::inserter(names, names.end()));
    if (names.empty()) continue;
    list += fmt::format("\n# {}: {}\n", registrable, askers_text(domain.askers));
    // Where something below it matched, each name is for itself.
    const bool whole = collapse > 0 && names.size() >= collapse && names.size() == domain.names.size();
    if (whole) names = {registrable, "*." + registrable};
    for (const std::string& name : names) list += name + "\n";
  }
  return list + left_out("a rule or list matched them", matched_) +
         left_out("for they are written in unusual characters", odd_);
}

}  // namespace nslookout::report
