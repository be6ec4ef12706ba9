// What holds of every event, whatever hostile octets it was made of: it can be written in both forms, and read back.
#pragma once

#include <string>

#include "event/codec.h"
#include "octets.h"

namespace nslookout::fuzz {

// Its line of JSON.
inline std::string require_whole(const event::Event& event) {
  const auto octets = event::to_protobuf(event);
  require(octets.has_value(), "an event can be encoded");
  require(event::from_protobuf(*octets).has_value(), "an event that was encoded can be decoded");
  std::string line = event::to_json_line(event);
  for (const char character : line) {
    require(static_cast<unsigned char>(character) >= 0x20, "a line of JSON has no control character");
  }
  return line;
}

}  // namespace nslookout::fuzz
