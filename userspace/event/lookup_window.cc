#include "event/lookup_window.h"

#include <algorithm>

namespace nslookout::event {
namespace {

std::string lookup_key(const nsl_process_key& process, std::string_view name) {
  std::string key(reinterpret_cast<const char*>(&process), sizeof process);
  key += name;
  return key;
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

std::optional<std::string> LookupWindow::seen(const std::string& key, std::uint64_t now) {
  const auto found = lookups_.find(key);
  if (found == lookups_.end()) return std::nullopt;
  if (within(found->second->boottime, now)) return found->second->event_id;
  const auto expired = found->second;
  lookups_.erase(found);
  oldest_first_.erase(expired);
  return std::nullopt;
}

std::optional<std::string> LookupWindow::see(const nsl_process_key& process, const std::vector<std::string>& names,
                                             std::uint64_t boottime, std::string_view event_id) {
  if (process.tgid == 0) return std::nullopt;
  for (const std::string& name : names) {
    if (auto first = seen(lookup_key(process, name), boottime)) return first;
  }
  for (const std::string& name : names) {
    forget_oldest(boottime);
    oldest_first_.push_back({lookup_key(process, name), boottime, std::string(event_id)});
    const auto added = std::prev(oldest_first_.end());
    if (!lookups_.try_emplace(added->key, added).second) oldest_first_.pop_back();  // a name given twice
  }
  return std::nullopt;
}

}  // namespace nslookout::event
