// What holds of everything that a dissector hands over.
#pragma once

#include "base/dns_name.h"
#include "capture/dissector.h"
#include "octets.h"

namespace nslookout::fuzz {

inline bool require_lookup(const capture::Lookup& lookup) {
  const nsl_candidate& candidate = lookup.question.candidate;
  const std::string_view name(reinterpret_cast<const char*>(candidate.name), candidate.name_length);
  require(candidate.name_length >= 1 && candidate.name_length <= max_name_octets && is_wire_name(name),
          "the name of a question is well formed");
  require(candidate.server_port == 53 && candidate.wire_port == 53, "a question goes to a DNS port");
  require(candidate.family == 4 || candidate.family == 6, "a question has addresses");
  require(candidate.question_count >= 1 && candidate.question_count <= NSL_QUESTIONS_MAX, "a message has questions");
  return true;
}

inline void require_message(const capture::ServerMessage& message) {
  require(message.exchange.server_port == 53, "a response comes from a DNS port");
  require(message.octets.size() <= 65535, "a response fits into a datagram or behind a length");
}

// Every packet was handed on, or is counted where it was passed over.
inline void require_counted(const capture::Counts& counts, std::uint64_t packets) {
  require(counts.packets == packets, "every packet is counted");
  require(counts.queries <= 65535 * packets, "no more queries than octets could hold");
}

}  // namespace nslookout::fuzz
