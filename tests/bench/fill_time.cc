// fill_time: how long a million names take from memory to tables in use; status 1 when the bound is missed. Needs root.
#include <algorithm>
#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "kernel/tables.h"
#include "names.h"
#include "programs.h"
#include "report.h"

namespace nslookout::bench {
namespace {

constexpr std::size_t many = 1'000'000;
constexpr std::uint32_t rounds = 7;
constexpr double most_seconds = 1.5;

using Clock = std::chrono::steady_clock;

double seconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

// True when the bound is met.
Result<bool> measure() {
  Result<kernel::BpfObject> sensor = open_sensor();
  if (!sensor) return fail(sensor.error());
  if (const auto loaded = sensor->load(); !loaded) return fail(loaded.error());
  Result<kernel::Tables> tables = kernel::Tables::of(*sensor);
  if (!tables) return fail(tables.error());
  const auto names = made_up_names(many);
  const auto list = to_list(names);

  double fastest = 0;
  double fastest_built = 0;
  fmt::print("seconds for {} names: built in memory, filled into the kernel and swapped in, both\n", many);
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    const auto begin = Clock::now();
    const auto built = compile::build_kernel_tables({.names = list}, compile::Seeds::random());
    const auto filling = Clock::now();
    if (const auto published = tables->publish(built, round); !published) return fail(published.error());
    const auto end = Clock::now();
    fmt::print("{:>8.3f} {:>8.3f} {:>8.3f}\n", seconds(begin, filling), seconds(filling, end), seconds(begin, end));
    fastest = round == 1 ? seconds(begin, end) : std::min(fastest, seconds(begin, end));
    fastest_built = round == 1 ? seconds(begin, filling) : std::min(fastest_built, seconds(begin, filling));
  }
  fmt::print("at best {:.1f} million names a second into tables in use\n", many / fastest / 1e6);
  const auto reported =
      report("fill_time", {{"names", many}, {"seconds_built", fastest_built}, {"seconds_built_and_filled", fastest}});
  if (!reported) return fail(reported.error());
  if (fastest < most_seconds) return true;
  fmt::print(stderr, "fill_time: filling a million names takes {:.2f} s at best; the bound is {} s\n", fastest,
             most_seconds);
  return false;
}

}  // namespace
}  // namespace nslookout::bench

int main() {
  const auto met = nslookout::bench::measure();
  if (!met) fmt::print(stderr, "fill_time: {}\n", met.error().message);
  return met && *met ? 0 : 1;
}
