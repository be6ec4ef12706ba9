// An event as an entry of the journal: fields for `journalctl FIELD=value`, and the whole event as JSON in one of them.
// Source: systemd's "Native Journal Protocol": NAME=value and a newline, or NAME, a newline, the length (64 bits, little
// endian), the octets and a newline. Invariant: what a process chose is in values alone, and visible text.
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "event/event.h"

namespace nslookout::sink {

// line: the event as JSON, for NSLOOKOUT_EVENT.
[[nodiscard]] std::string journald_entry(const event::Event& event, std::string_view line);

}  // namespace nslookout::sink
