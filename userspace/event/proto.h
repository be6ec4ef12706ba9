// Between the plain event and the generated protobuf class. Only event/ includes this header.
#pragma once

#include "base/result.h"
#include "event/event.h"
#include "nslookout/v1/event.pb.h"

namespace nslookout::event {

// Into an empty message. Escapes what is not UTF-8 on the way; never fails.
void fill(v1::Event& out, const Event& event);

// Errors (class invalid): a time or a duration that nanoseconds in 64 bits cannot hold.
[[nodiscard]] Result<Event> from_proto(const v1::Event& proto);

}  // namespace nslookout::event
