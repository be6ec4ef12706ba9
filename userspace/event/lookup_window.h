// Which events belong to one lookup, so that nobody is paged twice (DESIGN section 5: `alert`, `duplicate_of`).
//
// A lookup is what one program asks about one name within a window: A and AAAA, retries, the search list's variants
// (base/search_suffix.h), which are known by what they have in common: a name of one is a name of the other.
// Invariants: another process, or another program in the same process, is never a duplicate; the window starts at the
// first event and does not slide, so a beacon is reported anew each window; memory is bounded, and what eviction may
// have made "first" again is counted.
// Units: times are nanoseconds since boot, as in nsl_candidate. Thread rule: one thread.
//
//   LookupWindow window;
//   auto first = window.see(candidate.process, names, candidate.boottime, event.event_id);
//   event.alert = !first;
//   if (first) event.duplicate_of = *first;
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bpf/abi.h"

namespace nslookout::event {

struct LookupWindowOptions {
  std::chrono::nanoseconds window = std::chrono::seconds{5};
  std::size_t capacity = 8192;  // names of lookups remembered; at least 1
};

class LookupWindow {
 public:
  explicit LookupWindow(LookupWindowOptions options = {});

  // The event_id of the lookup's first event; nothing when this is the first, whose id is then remembered.
  // names, in lower case: the one asked for and what it is without each known search suffix. A process with tgid 0 (sender
  // unknown) is always a first.
  [[nodiscard]] std::optional<std::string> see(const nsl_process_key& process, const std::vector<std::string>& names,
                                               std::uint64_t boottime, std::string_view event_id);

  [[nodiscard]] std::optional<std::string> see(const nsl_process_key& process, std::string_view name,
                                               std::uint64_t boottime, std::string_view event_id) {
    return see(process, std::vector<std::string>{std::string(name)}, boottime, event_id);
  }

  // Lookups forgotten within their window because too many were remembered.
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }
  [[nodiscard]] std::size_t size() const { return lookups_.size(); }

 private:
  struct Lookup {
    std::string key;
    std::uint64_t boottime;
    std::string event_id;
  };

  [[nodiscard]] std::optional<std::string> seen(const std::string& key, std::uint64_t now);
  [[nodiscard]] bool within(std::uint64_t first, std::uint64_t now) const;
  void forget_oldest(std::uint64_t now);

  LookupWindowOptions options_;
  std::list<Lookup> oldest_first_;
  // Keys view into the list's nodes, which do not move.
  std::unordered_map<std::string_view, std::list<Lookup>::iterator> lookups_;
  std::uint64_t evicted_ = 0;
};

}  // namespace nslookout::event
