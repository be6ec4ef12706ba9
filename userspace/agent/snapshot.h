// The state of a running agent, collected for whoever asks (health/snapshot.h).
// Thread rule: the thread that reads the ring.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/pipeline.h"
#include "health/snapshot.h"
#include "kernel/sensor.h"

namespace nslookout::agent {

struct RunOptions;

// What the tables in use have.
struct PublishedSizes {
  std::size_t names = 0;
  std::size_t text_cells = 0;
};

// An output's specification without what follows a '?' and without a user and password in a URL: fit for a label.
[[nodiscard]] std::string output_name(std::string_view spec);

[[nodiscard]] health::Snapshot make_snapshot(const RunOptions& options, const kernel::Sensor& sensor,
                                             const Pipeline& pipeline, const PublishedSizes& sizes,
                                             const health::GenerationState& generation, WallTime started);

}  // namespace nslookout::agent
