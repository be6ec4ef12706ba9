// From the packets of a capture to the DNS questions in them and, where they are asked for, the responses: link layer, IP
// with its fragments, UDP and TCP, DNS.
//
//   Dissector dissector({.ports = {53}}, [&](const Lookup& lookup) { … });
//   for each frame: dissector.take(frame);
//   dissector.finish();
//
// A question is what goes to one of the ports, as for the sensor; a response is a message that comes from one. Anything
// else is counted and passed over. Over TCP a question is handed on when its last octet is there, so lookups come nearly, not exactly, in order of
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

// A message of a name server, read no further.
struct ServerMessage {
  std::optional<WallTime> time;
  nsl_exchange exchange{};  // socket and id are not set
  Address client;
  std::uint16_t client_port = 0;
  Octets octets;  // what the capture has of it
};

using ServerMessageHandler = std::function<void(const ServerMessage&)>;

struct DissectorOptions {
  std::vector<std::uint16_t> ports = {53};
};

class Dissector {
 public:
  // responses: may be empty; what name servers send is passed over then.
  Dissector(DissectorOptions options, LookupHandler handler, ServerMessageHandler responses = nullptr);
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
  // Whether the packet comes from a name server.
  [[nodiscard]] Taken<bool> check_ports(const Flow& flow) const;
  void take_server_message(const Flow& flow, nsl_transport transport, Octets message, std::optional<WallTime> time);
  void take_stream_message(const Flow& flow, const StreamMessage& message);
  [[nodiscard]] Taken<void> take_message(const Flow& flow, nsl_transport transport, Octets message,
                                         std::size_t full_length, std::optional<WallTime> time);

  DissectorOptions options_;
  LookupHandler handler_;
  ServerMessageHandler responses_;
  Counts counts_;
  Fragments fragments_;
  TcpStreams streams_;
  TcpStreams server_streams_;
};

}  // namespace nslookout::capture
