// An event as a syslog message. Source: RFC 5424 section 6; the message's text is the event's line of JSON, without a
// byte order mark (MSG-ANY), and the structured data are of the registered kinds `origin` and `meta` alone.
// Invariant: no octet below 0x20 whatever the event holds, so that a receiver that splits at newlines is not misled.
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "event/event.h"

namespace nslookout::sink {

// 0 (emergency) to 7 (debug): critical is 2, high 3, medium 4, low 5; a loss is 4; all else 6, informational.
[[nodiscard]] int syslog_severity(const event::Event& event);

// host_name: for an event that does not say its host. line: the event as JSON.
[[nodiscard]] std::string syslog_message(const event::Event& event, std::string_view line, int facility,
                                         std::string_view host_name);

}  // namespace nslookout::sink
