// Reading numbers out of packets. Every at must lie within octets; callers check lengths first.
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace nslookout::capture {

using Octets = std::span<const std::uint8_t>;

// Network order.
[[nodiscard]] inline std::uint16_t read16(Octets octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

[[nodiscard]] inline std::uint32_t read32(Octets octets, std::size_t at) {
  return static_cast<std::uint32_t>(read16(octets, at)) << 16 | read16(octets, at + 2);
}

}  // namespace nslookout::capture
