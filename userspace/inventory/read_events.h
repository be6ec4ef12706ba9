// Reads a file of events: JSON lines or length-delimited protobuf, whichever it is.
//
// How it is known: a protobuf message of ours begins with the field schema_version, so that the octet behind its length is
// 0x08, which no JSON text has there. Empty lines are passed over.
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "event/event.h"

namespace nslookout::inventory {

// The longest line that is read.
inline constexpr std::size_t max_line_octets = 4U << 20;

struct ReadOutcome {
  std::uint64_t events = 0;
  std::uint64_t bad = 0;  // lines that are no event; of protobuf, whose records cannot be told apart after one: 1
  std::optional<Error> first_bad;  // with the file and line, or the offset
};

using Visit = std::function<Result<void>(const event::Event&)>;

// path: "-" is standard input. Errors: runtime for a file that cannot be read; invalid for one that has something and no
// event at all; the visitor's own, which ends the reading.
[[nodiscard]] Result<ReadOutcome> read_events(const std::string& path, const Visit& visit);

// The same of an open descriptor, which stays open; name is for messages.
[[nodiscard]] Result<ReadOutcome> read_events(int fd, const std::string& name, const Visit& visit);

}  // namespace nslookout::inventory
