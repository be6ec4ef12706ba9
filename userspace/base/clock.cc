#include "base/clock.h"

#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <fmt/compile.h>
#include <fmt/format.h>

namespace nslookout {
namespace {

using std::chrono::nanoseconds;

nanoseconds read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds{now.tv_sec} + nanoseconds{now.tv_nsec};
}

}  // namespace

nanoseconds boottime_offset(std::string_view timens_offsets) {
  std::istringstream lines{std::string(timens_offsets)};
  std::string clock;
  std::int64_t seconds = 0;
  std::int64_t nanos = 0;
  while (lines >> clock >> seconds >> nanos) {
    if (clock == "boottime" || clock == "7") return std::chrono::seconds{seconds} + nanoseconds{nanos};
  }
  return nanoseconds{0};
}

// A process cannot change its time namespace without an exec, so once is enough. Kernels before 5.6 have no such file.
nanoseconds own_boottime_offset() {
  static const nanoseconds offset = [] {
    std::ifstream file("/proc/self/timens_offsets");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    return boottime_offset(text);
  }();
  return offset;
}

nanoseconds boot_now() { return read_clock(CLOCK_BOOTTIME) - own_boottime_offset(); }

nanoseconds wall_minus_boot() {
  // The thread may be preempted between the two readings: of a few tries, the one that took least time is the best.
  constexpr int tries = 3;
  constexpr nanoseconds good_enough{1000};
  nanoseconds best_span = nanoseconds::max();
  nanoseconds difference{0};
  for (int i = 0; i < tries && best_span > good_enough; ++i) {
    const nanoseconds before = boot_now();
    const nanoseconds wall = read_clock(CLOCK_REALTIME);
    const nanoseconds span = boot_now() - before;
    if (span >= best_span) continue;
    best_span = span;
    difference = wall - (before + span / 2);
  }
  return difference;
}

void append_utc(std::string& out, std::chrono::sys_seconds time) {
  const time_t seconds = time.time_since_epoch().count();
  tm parts{};
  ::gmtime_r(&seconds, &parts);
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}"), parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace nslookout
