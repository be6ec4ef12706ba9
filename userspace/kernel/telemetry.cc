#include "kernel/telemetry.h"

#include <bpf/bpf.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace nslookout::kernel {
namespace {

constexpr std::uint32_t least_ring = 4096;
constexpr std::uint32_t paces = 4096;  // processes whose pace is known at once
constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint32_t batch = 1024;

}  // namespace

Result<void> size_telemetry(BpfObject& object, const SensorOptions& options) {
  const std::pair<const char*, std::uint32_t> sizes[] = {
      {"nsl_observed", options.observe_all ? options.observed_ring_octets : least_ring},
      {"nsl_told", options.observe_all && options.unique ? std::max(options.told_entries, 1U) : 1},
      {"nsl_paces", options.observe_all && options.observed_per_second > 0 ? paces : 1}};
  for (const auto& [map, size] : sizes) {
    if (auto sized = object.set_entries(map, size); !sized) return sized;
  }
  return {};
}

Result<void> set_telemetry(const BpfObject& object, const SensorOptions& options) {
  auto telemetry = object.global<nsl_telemetry>("nsl_telemetry");
  if (!telemetry) return fail(telemetry.error());
  std::array<std::uint64_t, 2> seeds{};
  if (::getrandom(seeds.data(), sizeof seeds, 0) != static_cast<ssize_t>(sizeof seeds)) {
    return fail(ErrorClass::runtime, "the kernel gives no random octets: {}", errno_text(errno));
  }
  (*telemetry)->seed1 = seeds[0];
  (*telemetry)->seed2 = seeds[1];
  (*telemetry)->interval = options.observed_per_second > 0 ? second / options.observed_per_second : 0;
  (*telemetry)->unique = options.unique ? 1 : 0;
  (*telemetry)->wakeup_octets = options.observed_ring_octets / 64;
  return {};
}

Result<std::vector<Repeats>> read_repeats(const BpfObject& object) {
  const int fd = object.map_fd("nsl_told");
  std::vector<std::uint64_t> keys(batch);
  std::vector<nsl_told> values(batch);
  std::vector<Repeats> repeats;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  bool first = true;
  while (true) {
    std::uint32_t count = batch;
    const int got = bpf_map_lookup_batch(fd, first ? nullptr : &from, &to, keys.data(), values.data(), &count, nullptr);
    if (got != 0 && errno != ENOENT) {
      return fail(ErrorClass::runtime, "reading how often lookups were repeated: {}", errno_text(errno));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      repeats.push_back({static_cast<std::uint32_t>(keys[i]), values[i].count, values[i].last});
    }
    if (got != 0) return repeats;  // that was the last batch
    from = to;
    first = false;
  }
}

}  // namespace nslookout::kernel
