#include "loaded_sensor.h"

#include <cerrno>
#include <utility>

#include "programs.h"
#include "sigma/load.h"

namespace nslookout::bench {
namespace {

constexpr std::uint32_t ring_octets = 16U << 20;  // as the agent's

int forget(void* /*context*/, void* /*record*/, std::size_t /*size*/) { return 0; }

}  // namespace

compile::Plan plan_of(const std::filesystem::path& folder, bool windows) {
  sigma::RuleSet set = sigma::load_rules({folder.native()}, {.windows = windows});
  return compile::make_plan(std::move(set.rules), {}, std::move(set.correlations));
}

LoadedSensor::LoadedSensor(kernel::BpfObject object, kernel::Tables tables)
    : object_(std::move(object)),
      tables_(tables),
      ring_(ring_buffer__new(object_.map_fd("nsl_candidates"), forget, nullptr, nullptr)) {}

Result<LoadedSensor> LoadedSensor::load() {
  Result<kernel::BpfObject> object = open_sensor();
  if (!object) return fail(object.error());
  if (const auto sized = object->set_entries("nsl_candidates", ring_octets); !sized) return fail(sized.error());
  if (const auto loaded = object->load(); !loaded) return fail(loaded.error());
  Result<kernel::Tables> tables = kernel::Tables::of(*object);
  if (!tables) return fail(tables.error());
  tables->settings().port_count = 1;
  tables->settings().ports[0] = 53;
  LoadedSensor sensor(std::move(*object), *tables);
  if (!sensor.ring_) return fail(ErrorClass::runtime, "opening the ring: {}", errno_text(errno));
  return sensor;
}

Result<void> LoadedSensor::publish(const compile::KernelTables& tables) {
  return tables_.publish(tables, ++generation_);
}

int LoadedSensor::program() const { return bpf_program__fd(object_.program("nsl_egress")); }

Result<std::uint64_t> LoadedSensor::let_out() const {
  const auto handed = counter(NSL_COUNT_candidates);
  if (!handed) return handed;
  const auto lost = counter(NSL_COUNT_ring_full);
  if (!lost) return lost;
  return *handed + *lost;
}

Result<std::uint64_t> LoadedSensor::counter(nsl_counter counter) const { return read_counter(object_, counter); }

Result<void> LoadedSensor::drain() {
  const int taken = ring_buffer__consume(ring_.get());
  if (taken < 0) return fail(ErrorClass::runtime, "reading the ring: {}", errno_text(-taken));
  return {};
}

}  // namespace nslookout::bench
