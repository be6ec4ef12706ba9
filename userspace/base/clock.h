// The kernel's clock and the wall clock.
//
// The kernel programs stamp with bpf_ktime_get_boot_ns: nanoseconds since boot, time in suspend included, as the
// initial time namespace counts. Wall time is derived at the moment of asking, from both clocks as they stand, so that
// neither a suspend nor a step of the wall clock shifts later events.
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace nslookout {

using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

// CLOCK_BOOTTIME as the initial time namespace counts it, also when this process lives in another one.
[[nodiscard]] std::chrono::nanoseconds boot_now();

// What to add to a kernel time stamp to get wall time, measured now; good to about a microsecond.
[[nodiscard]] std::chrono::nanoseconds wall_minus_boot();

[[nodiscard]] inline WallTime wall_from_boot(std::uint64_t boot_ns, std::chrono::nanoseconds wall_minus_boot) {
  return WallTime{std::chrono::nanoseconds{static_cast<std::int64_t>(boot_ns)} + wall_minus_boot};
}

// "2026-03-31T00:04:05": the date and time of RFC 3339 in UTC, without fraction and zone.
void append_utc(std::string& out, std::chrono::sys_seconds time);

// How much CLOCK_BOOTTIME, and the start times in /proc, are ahead of the initial time namespace in this process's own.
[[nodiscard]] std::chrono::nanoseconds own_boottime_offset();

// The boot-time offset of a time namespace, from the text of /proc/PID/timens_offsets (time_namespaces(7)); zero when
// the text has none.
[[nodiscard]] std::chrono::nanoseconds boottime_offset(std::string_view timens_offsets);

}  // namespace nslookout
