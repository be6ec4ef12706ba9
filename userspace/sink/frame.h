// An event as the octets of one record: a JSON line with its newline, or a protobuf message after the varint of its
// length (the framing of writeDelimitedTo in protobuf's libraries).
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "event/event.h"
#include "sink/spec.h"

namespace nslookout::sink {

// The largest message a reader accepts. Ours are a few kilobytes.
inline constexpr std::size_t max_message_octets = 4U << 20;

[[nodiscard]] Result<std::string> encode_record(const event::Event& event, Encoding encoding,
                                                encode::Format format = encode::Format::native);

using EventHandler = std::function<Result<void>(const event::Event&)>;

// Reads length-delimited events to the end of fd (a file, a pipe or a socket; not closed here) and hands each over, those
// in already_read, what was taken off fd before, first;
// returns how many. Errors: invalid, with the offset, for a record that is cut short, too large or not an event (what
// came before it has been handed over); runtime for a failed read; and the handler's own, which ends the reading.
[[nodiscard]] Result<std::uint64_t> decode_stream(int fd, std::string already_read, const EventHandler& handler);
[[nodiscard]] inline Result<std::uint64_t> decode_stream(int fd, const EventHandler& handler) {
  return decode_stream(fd, "", handler);
}

}  // namespace nslookout::sink
