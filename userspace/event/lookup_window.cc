#include "event/lookup_window.h"

#include <algorithm>
#include <sstream>

#include "base/dns_name.h"

namespace nslookout::event {
namespace {

std::string lookup_key(const nsl_process_key& process, std::string_view name) {
  std::string key(reinterpret_cast<const char*>(&process), sizeof process);
  key += name;
  return key;
}

// Whether the dot at this place separates labels; one after an odd number of backslashes is part of a label.
bool separates_labels(std::string_view name, std::size_t dot) {
  std::size_t backslashes = 0;
  while (backslashes < dot && name[dot - backslashes - 1] == '\\') ++backslashes;
  return name[dot] == '.' && backslashes % 2 == 0;
}

}  // namespace

LookupWindow::LookupWindow(LookupWindowOptions options) : options_(options) {
  options_.capacity = std::max<std::size_t>(options_.capacity, 1);
}

// Candidates of different CPUs may arrive a little out of order, hence the absolute difference.
bool LookupWindow::within(std::uint64_t first, std::uint64_t now) const {
  const std::uint64_t distance = now > first ? now - first : first - now;
  return distance <= static_cast<std::uint64_t>(options_.window.count());
}

void LookupWindow::forget_oldest(std::uint64_t now) {
  while (!oldest_first_.empty()) {
    const Lookup& oldest = oldest_first_.front();
    const bool live = within(oldest.boottime, now);
    if (live && lookups_.size() < options_.capacity) return;
    if (live) ++evicted_;
    lookups_.erase(oldest.key);
    oldest_first_.pop_front();
  }
}

std::optional<std::string> LookupWindow::see(const nsl_process_key& process, std::string_view name,
                                             std::uint64_t boottime, std::string_view event_id) {
  if (process.tgid == 0) return std::nullopt;
  std::string key = lookup_key(process, name);
  if (const auto found = lookups_.find(key); found != lookups_.end()) {
    if (within(found->second->boottime, boottime)) return found->second->event_id;
    const auto expired = found->second;
    lookups_.erase(found);
    oldest_first_.erase(expired);
  }
  forget_oldest(boottime);
  oldest_first_.push_back({std::move(key), boottime, std::string(event_id)});
  const auto added = std::prev(oldest_first_.end());
  lookups_.emplace(added->key, added);
  return std::nullopt;
}

std::string_view without_search_suffix(std::string_view name, const std::vector<std::string>& suffixes) {
  std::size_t longest = 0;
  for (const std::string& suffix : suffixes) {
    const bool ends = !suffix.empty() && name.size() > suffix.size() + 1 && name.ends_with(suffix) &&
                      separates_labels(name, name.size() - suffix.size() - 1);
    if (ends) longest = std::max(longest, suffix.size() + 1);
  }
  return name.substr(0, name.size() - longest);
}

std::vector<std::string> search_suffixes(std::string_view resolv_conf) {
  std::vector<std::string> suffixes;
  std::istringstream lines{std::string(resolv_conf)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string keyword;
    words >> keyword;
    if (keyword != "search" && keyword != "domain") continue;
    suffixes.clear();
    for (std::string word; words >> word;) {
      if (word.ends_with('.')) word.pop_back();
      if (!word.empty()) suffixes.push_back(ascii_lower(word));
    }
  }
  return suffixes;
}

}  // namespace nslookout::event
