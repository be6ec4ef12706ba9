// An event as octets and back: JSON lines and protobuf (the schema in proto/nslookout/v1/event.proto).
//
// Invariants: a JSON line holds no octet below 0x20 and no U+2028/2029, whatever the names and arguments in the event
// hold, so one event is one line; octets that are not UTF-8 are written as \xHH, never dropped. An event is the same octets
// each time it is written: labels stand in the order of their names.
// Example:
//   auto line = event::to_json_line(event);   // no newline at its end; the sink adds it
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "event/event.h"

namespace nslookout::event {

// The protobuf JSON mapping with the schema's field names; fields at their default are left out, but `alert` is shown
// whenever it is set, true or false.
[[nodiscard]] std::string to_json_line(const Event& event);

// One protobuf message, no length in front.
[[nodiscard]] Result<std::string> to_protobuf(const Event& event);

// Fields that the schema does not have are passed over: a later version may have written them. Errors (class invalid): not
// one JSON object of this schema, or a time outside 1677..2262.
[[nodiscard]] Result<Event> from_json_line(std::string_view line);

// Errors (class invalid): not a message of this schema, or a time outside 1677..2262.
[[nodiscard]] Result<Event> from_protobuf(std::string_view message);

}  // namespace nslookout::event
