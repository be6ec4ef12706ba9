// A Diagnosis as text for people and as one JSON object for machines. Control characters in what came from the host's
// files are escaped in both. Thread rule: pure functions.
#pragma once

#include <string>

#include "kernel/doctor.h"

namespace nslookout::cli {

[[nodiscard]] std::string doctor_text(const kernel::Diagnosis& diagnosis);
[[nodiscard]] std::string doctor_json(const kernel::Diagnosis& diagnosis);

}  // namespace nslookout::cli
