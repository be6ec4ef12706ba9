#include "event/event_id.h"

#include <sys/random.h>

#include <cerrno>
#include <chrono>

#include <fmt/format.h>

namespace nslookout::event {

Result<EventIds> EventIds::create() {
  struct {
    std::uint64_t low;
    std::uint16_t high;
  } start{};
  // Up to 256 octets come whole or not at all (getrandom(2)).
  ssize_t got = 0;
  do {
    got = ::getrandom(&start, sizeof start, 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof start)) {
    return fail(ErrorClass::runtime, "reading random octets for the ids of events: {}", errno_text(errno));
  }
  return EventIds(start.high, start.low);
}

std::string EventIds::next(WallTime time) {
  low_ = (low_ + 1) & low_mask;
  if (low_ == 0) high_ = (high_ + 1) & 0x0FFF;
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::uint64_t millis = static_cast<std::uint64_t>(since_epoch) & ((1ULL << 48) - 1);
  return fmt::format("{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}", millis >> 16, millis & 0xFFFF, high_,
                     0x8000 | (low_ >> 48), low_ & ((1ULL << 48) - 1));
}

}  // namespace nslookout::event
