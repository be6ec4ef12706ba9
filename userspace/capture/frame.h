// One packet as a capture file holds it.
//
// Invariant: octets are at most original_length; fewer when the capture was made with a snapshot length. They are valid
// until the next packet is read. Thread rule: a value.
#pragma once

#include <cstddef>
#include <optional>

#include "base/clock.h"
#include "capture/octets.h"

namespace nslookout::capture {

struct Frame {
  int link_type = 0;             // capture/link.h
  std::optional<WallTime> time;  // a simple packet block of a pcapng file has none
  Octets octets;
  std::size_t original_length = 0;
};

}  // namespace nslookout::capture
