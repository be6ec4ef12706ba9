// What became of the packets of a capture: one count per way in which something can be passed over. Nothing that a
// capture holds is left out without one of them going up.
// Thread rule: a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <tl/expected.hpp>

namespace nslookout::capture {

// The texts stand between "not looked at: " and a count.
#define NSLOOKOUT_SKIP_REASONS(X)                                                            \
  X(link_type, "packets of a link type that is not read")                                    \
  X(not_ip, "frames without an IP packet")                                                   \
  X(other_protocol, "IP packets that are neither UDP nor TCP")                               \
  X(other_port, "packets to and from other ports")                                           \
  X(response, "packets of name servers")                                                     \
  X(not_query, "messages to a DNS port that are no query")                                   \
  X(malformed_packet, "malformed packets")                                                   \
  X(malformed_question, "queries with a malformed question")                                 \
  X(cut, "packets that the capture cut before the end of the question")                      \
  X(fragment_incomplete, "IP datagrams of which a fragment is missing")                      \
  X(tcp_gap, "holes in TCP streams")                                                         \
  X(tcp_unsynchronised, "TCP segments in which no message could be found after such a hole") \
  X(tcp_incomplete, "TCP messages that end before their question does")                      \
  X(tcp_retransmitted, "TCP segments that repeat octets seen before")                        \
  X(tcp_forgotten, "TCP streams forgotten because too many were followed at once")

enum class Skip {
#define NSLOOKOUT_SKIP_ENUM(name, text) name,
  NSLOOKOUT_SKIP_REASONS(NSLOOKOUT_SKIP_ENUM)
#undef NSLOOKOUT_SKIP_ENUM
};

inline constexpr auto skip_texts = std::to_array<std::string_view>({
#define NSLOOKOUT_SKIP_TEXT(name, text) text,
    NSLOOKOUT_SKIP_REASONS(NSLOOKOUT_SKIP_TEXT)
#undef NSLOOKOUT_SKIP_TEXT
});

// A part of a packet, or why there is none.
template <typename T>
using Taken = tl::expected<T, Skip>;

[[nodiscard]] inline tl::unexpected<Skip> skip(Skip reason) { return tl::unexpected<Skip>(reason); }

struct Counts {
  std::uint64_t packets = 0;
  std::uint64_t queries = 0;  // messages with at least one question that could be read
  std::array<std::uint64_t, skip_texts.size()> skipped{};

  void add(Skip reason) { ++skipped[static_cast<std::size_t>(reason)]; }
  [[nodiscard]] std::uint64_t of(Skip reason) const { return skipped[static_cast<std::size_t>(reason)]; }
};

}  // namespace nslookout::capture
