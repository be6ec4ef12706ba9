// A snapshot as Prometheus reads it: text format 0.0.4 (prometheus.io, "Exposition formats"). The names and what they mean
// are listed in docs/operations.md; a test holds the two against each other.
//
// This file's .cc is the only user of prometheus-cpp. Thread rule: any thread.
#pragma once

#include <string>

#include "health/snapshot.h"

namespace nslookout::health {

inline constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

// With the process's own start time, CPU time and memory, from /proc/self.
[[nodiscard]] std::string metrics_text(const Snapshot& snapshot);

}  // namespace nslookout::health
