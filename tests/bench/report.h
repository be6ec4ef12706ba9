// Results for machines: each benchmark adds its section to one JSON file, which $NSLOOKOUT_BENCH_JSON names (./dev bench
// --json FILE sets it). Without that nothing is written.
//
// Thread rule: one thread; benchmarks run one after the other.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace nslookout::bench {

// Replaces the section if it is there. Error: runtime, the file cannot be read or written.
[[nodiscard]] Result<void> report(std::string_view section, nlohmann::ordered_json values);

}  // namespace nslookout::bench
