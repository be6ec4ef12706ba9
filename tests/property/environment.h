// NSLOOKOUT_PROPERTY_SEED and NSLOOKOUT_PROPERTY_ROUNDS, which repeat or extend a run.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace nslookout {

// The variable as a number; otherwise where it is not set.
inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace nslookout
