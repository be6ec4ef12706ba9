// The user's side of bpf/telemetry.bpf.h: its maps and settings, and how often lookups were made that were told once.
// Thread rule: any thread.
#pragma once

#include <vector>

#include "base/result.h"
#include "kernel/bpf_object.h"
#include "kernel/sensor.h"

namespace nslookout::kernel {

// Before the object of a backend is loaded, and after.
[[nodiscard]] Result<void> size_telemetry(BpfObject& object, const SensorOptions& options);
[[nodiscard]] Result<void> set_telemetry(const BpfObject& object, const SensorOptions& options);

// Error: runtime.
[[nodiscard]] Result<std::vector<Repeats>> read_repeats(const BpfObject& object);

}  // namespace nslookout::kernel
