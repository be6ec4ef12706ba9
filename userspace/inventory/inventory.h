// Events grouped to lookups, and what is known to be missing among them.
//
//   Inventory inventory;
//   read_events("events.jsonl", [&](const event::Event& event) { inventory.add(event); return Result<void>{}; });
//   for (const auto& [key, lookup] : inventory.lookups()) …
//
// Invariants: the order is that of the keys, whatever the order of the events. The number of lookups is bounded: of those
// that no rule matched the first `limit` are kept, and as many of those that one did; lookups that did not fit are counted.
// Events of the kinds MATCH, QUERY and CORRELATION are one lookup each. A RESPONSE adds its rules to the lookup that it
// answers, and is one itself where its query was not reported. KIND_LOSS counts as what was lost.
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "event/event.h"
#include "inventory/lookup.h"

namespace nslookout::inventory {

// A lookup takes a few kilobytes, most of it the process and its ancestors.
inline constexpr std::size_t default_limit = 100'000;

// Whether the event is a lookup of its own; else it tells more of one, or of losses.
[[nodiscard]] bool is_lookup(const event::Event& event);

class Inventory {
 public:
  explicit Inventory(std::size_t limit = default_limit) : limit_(limit) {}

  void add(const event::Event& event);
  // One that was grouped before, of a history.
  void add(const Lookup& lookup);

  [[nodiscard]] const std::map<Key, Lookup>& lookups() const { return lookups_; }
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }  // lookups that did not fit
  // What the sensor lost, by its stage.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& losses() const { return losses_; }

 private:
  void merge(const event::Event& event, const Lookup& more);

  std::size_t limit_;
  std::map<Key, Lookup> lookups_;
  std::size_t matched_ = 0;  // of lookups_: with rules
  std::uint64_t left_out_ = 0;
  std::map<std::string, std::uint64_t> losses_;
};

}  // namespace nslookout::inventory
