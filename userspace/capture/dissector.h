// From the packets of a capture to the DNS questions in them: link layer, IP with its fragments, UDP and TCP, DNS.
//
//   Dissector dissector({.ports = {53}}, [&](const Lookup& lookup) { … });
//   for each frame: dissector.take(frame);
//   dissector.finish();
//
// A question is what goes to one of the ports, as for the sensor. A response or anything else is counted and passed
// over. Over TCP a question is handed on when its last octet is there, so lookups come nearly, not exactly, in order of
// time. Thread rule: one thread; the handler must not call back.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "capture/counts.h"
#include "capture/fragments.h"
#include "capture/frame.h"
#include "capture/questions.h"
#include "capture/tcp_streams.h"

namespace nslookout::capture {

// A question with its time and its addresses; candidate.boottime and candidate.sender are not set.
struct Lookup {
  std::optional<WallTime> time;
  Question question;
};

// Whether it is taken for a query; where none of a message is, the message is counted as not_query.
using LookupHandler = std::function<bool(const Lookup&)>;

struct DissectorOptions {
  std::vector<std::uint16_t> ports = {53};
};

class Dissector {
 public:
  Dissector(DissectorOptions options, LookupHandler handler);
  Dissector(const Dissector&) = delete;
  Dissector& operator=(const Dissector&) = delete;
  ~Dissector() = default;

  void take(const Frame& frame);

  // After the last packet: what still waits for others is given up.
  void finish();

  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  [[nodiscard]] Taken<void> take_ip(const IpPayload& payload, std::optional<WallTime> time);
  [[nodiscard]] Taken<void> take_udp(const IpPayload& payload, std::optional<WallTime> time);
  [[nodiscard]] Taken<void> take_tcp(const IpPayload& payload, std::optional<WallTime> time);
  [[nodiscard]] Taken<void> check_ports(const Flow& flow) const;
  void take_stream_message(const Flow& flow, const StreamMessage& message);
  [[nodiscard]] Taken<void> take_message(const Flow& flow, nsl_transport transport, Octets message,
                                         std::size_t full_length, std::optional<WallTime> time);

  DissectorOptions options_;
  LookupHandler handler_;
  Counts counts_;
  Fragments fragments_;
  TcpStreams streams_;
};

}  // namespace nslookout::capture
