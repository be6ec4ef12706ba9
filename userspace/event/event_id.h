// Ids of events: UUIDs of version 7 (RFC 9562 section 5.7).
//
// 48 bits of Unix time in milliseconds, then 74 bits that start at random and count up by one at each id (RFC 9562
// section 6.2, method 2). Unique within a run by the count, also when the wall clock steps back; unique over runs and
// hosts by the random start. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace nslookout::event {

class EventIds {
 public:
  // Fails (runtime) when the kernel gives no random octets.
  [[nodiscard]] static Result<EventIds> create();

  // A given start, for replays that must print the same ids each time. The upper 12 bits count in high.
  EventIds(std::uint16_t high, std::uint64_t low) : high_(high & 0x0FFF), low_(low & low_mask) {}

  [[nodiscard]] std::string next(WallTime time);

 private:
  static constexpr std::uint64_t low_mask = (1ULL << 62) - 1;

  std::uint16_t high_;  // rand_a, 12 bits
  std::uint64_t low_;   // rand_b, 62 bits
};

}  // namespace nslookout::event
