// Which events belong to one lookup, so that nobody is paged twice (DESIGN section 5: `alert`, `duplicate_of`).
//
// A lookup is what one program asks about one name within a window: A and AAAA, retries, the search list's variants.
// Invariants: another process, or another program in the same process, is never a duplicate; the window starts at the
// first event and does not slide, so a beacon is reported anew each window; memory is bounded, and what eviction may
// have made "first" again is counted.
// Units: times are nanoseconds since boot, as in nsl_candidate. Thread rule: one thread.
//
//   LookupWindow window;
//   auto first = window.see(candidate.process, name, candidate.boottime, event.event_id);
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
  std::size_t capacity = 8192;  // lookups remembered; at least 1
};

class LookupWindow {
 public:
  explicit LookupWindow(LookupWindowOptions options = {});

  // The event_id of the lookup's first event; nothing when this is the first, whose id is then remembered.
  // name is lower case, without a known search suffix. A process with tgid 0 (sender unknown) is always a first.
  [[nodiscard]] std::optional<std::string> see(const nsl_process_key& process, std::string_view name,
                                               std::uint64_t boottime, std::string_view event_id);

  // Lookups forgotten within their window because too many were remembered.
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }
  [[nodiscard]] std::size_t size() const { return lookups_.size(); }

 private:
  struct Lookup {
    std::string key;
    std::uint64_t boottime;
    std::string event_id;
  };

  [[nodiscard]] bool within(std::uint64_t first, std::uint64_t now) const;
  void forget_oldest(std::uint64_t now);

  LookupWindowOptions options_;
  std::list<Lookup> oldest_first_;
  // Keys view into the list's nodes, which do not move.
  std::unordered_map<std::string_view, std::list<Lookup>::iterator> lookups_;
  std::uint64_t evicted_ = 0;
};

// name without the longest of the suffixes that ends it on a label boundary; name itself where none does, or where
// nothing would be left. All in presentation form, lower case.
[[nodiscard]] std::string_view without_search_suffix(std::string_view name, const std::vector<std::string>& suffixes);

// The search list of a resolv.conf text (resolv.conf(5)): the last `search` or `domain` line counts. Lower case, no
// trailing dot.
[[nodiscard]] std::vector<std::string> search_suffixes(std::string_view resolv_conf);

}  // namespace nslookout::event
