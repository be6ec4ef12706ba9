#include "capture/dissector.h"

#include <netinet/in.h>

#include <algorithm>
#include <utility>

#include "capture/link.h"

namespace nslookout::capture {
namespace {

constexpr std::size_t udp_header = 8;
constexpr std::size_t tcp_header = 20;

// A packet that ends too soon: on the wire, or because the capture cut it.
Skip too_short(const IpPayload& payload) {
  return payload.octets.size() < payload.full_length ? Skip::cut : Skip::malformed_packet;
}

// UDP and TCP begin with the two ports.
Flow flow_of(const IpPayload& payload) {
  return {payload.family, payload.source, payload.destination, read16(payload.octets, 0), read16(payload.octets, 2)};
}

void add_addresses(nsl_candidate& candidate, const Flow& flow, nsl_transport transport) {
  std::copy(flow.source.octets.begin(), flow.source.octets.end(), candidate.source);
  std::copy(flow.destination.octets.begin(), flow.destination.octets.end(), candidate.server);
  candidate.source_port = flow.source_port;
  candidate.server_port = candidate.wire_port = flow.destination_port;
  candidate.family = flow.family;
  candidate.transport = static_cast<nsl_u8>(transport);
}

}  // namespace

Dissector::Dissector(DissectorOptions options, LookupHandler handler, ServerMessageHandler responses)
    : options_(std::move(options)),
      handler_(std::move(handler)),
      responses_(std::move(responses)),
      fragments_(counts_),
      streams_(counts_, [this](const Flow& flow, const StreamMessage& message) { take_stream_message(flow, message); }),
      server_streams_(
          counts_,
          [this](const Flow& flow, const StreamMessage& message) {
            take_server_message(flow, NSL_TCP, message.octets, message.time);
          },
          {}, server_side()) {}

void Dissector::take(const Frame& frame) {
  ++counts_.packets;
  const auto taken = ip_packet_of(frame.link_type, frame.octets).and_then([&](Octets packet) {
    const std::size_t link_header = frame.octets.size() - packet.size();
    return parse_ip(packet, frame.original_length - link_header).and_then([&](const IpPayload& payload) {
      return take_ip(payload, frame.time);
    });
  });
  if (!taken) counts_.add(taken.error());
}

void Dissector::finish() {
  streams_.finish();
  server_streams_.finish();
  fragments_.finish();
}

Taken<void> Dissector::take_ip(const IpPayload& payload, std::optional<WallTime> time) {
  if (payload.fragment) {
    std::optional<IpPayload> whole = fragments_.add(payload);
    if (!whole) return {};
    if (const auto passed = pass_extensions(*whole); !passed) return passed;
    if (whole->fragment) return skip(Skip::malformed_packet);
    return take_ip(*whole, time);
  }
  if (payload.protocol == IPPROTO_UDP) return take_udp(payload, time);
  if (payload.protocol == IPPROTO_TCP) return take_tcp(payload, time);
  return skip(Skip::other_protocol);
}

Taken<bool> Dissector::check_ports(const Flow& flow) const {
  const auto is_dns = [&](std::uint16_t port) {
    return std::find(options_.ports.begin(), options_.ports.end(), port) != options_.ports.end();
  };
  if (is_dns(flow.destination_port)) return false;
  if (!is_dns(flow.source_port)) return skip(Skip::other_port);
  if (!responses_) return skip(Skip::response);
  return true;
}

// RFC 768. A length of zero is that of a packet which the network card was to cut into several.
Taken<void> Dissector::take_udp(const IpPayload& payload, std::optional<WallTime> time) {
  if (payload.octets.size() < udp_header) return skip(too_short(payload));
  const Flow flow = flow_of(payload);
  const Taken<bool> from_server = check_ports(flow);
  if (!from_server) return skip(from_server.error());
  const std::size_t stated = read16(payload.octets, 4);
  const std::size_t length = stated == 0 ? payload.full_length : stated;
  if (length < udp_header || length > payload.full_length) return skip(Skip::malformed_packet);
  const std::size_t available = std::min(length, payload.octets.size());
  const Octets message = payload.octets.subspan(udp_header, available - udp_header);
  if (!*from_server) return take_message(flow, NSL_UDP, message, length - udp_header, time);
  take_server_message(flow, NSL_UDP, message, time);
  return {};
}

// RFC 9293 section 3.1.
Taken<void> Dissector::take_tcp(const IpPayload& payload, std::optional<WallTime> time) {
  if (payload.octets.size() < tcp_header) return skip(too_short(payload));
  const Flow flow = flow_of(payload);
  const Taken<bool> from_server = check_ports(flow);
  if (!from_server) return skip(from_server.error());
  const std::size_t header = static_cast<std::size_t>(payload.octets[12] >> 4) * 4;
  if (header < tcp_header || header > payload.full_length) return skip(Skip::malformed_packet);
  Segment segment;
  segment.time = time;
  segment.sequence = read32(payload.octets, 4);
  segment.synchronise = (payload.octets[13] & 0x02) != 0;
  segment.octets = payload.octets.subspan(std::min(header, payload.octets.size()));
  segment.full_length = payload.full_length - header;
  (*from_server ? server_streams_ : streams_).add(flow, segment);
  return {};
}

void Dissector::take_stream_message(const Flow& flow, const StreamMessage& message) {
  const auto taken = take_message(flow, NSL_TCP, message.octets, message.full_length, message.time);
  if (taken) return;
  counts_.add(message.incomplete && taken.error() == Skip::cut ? Skip::tcp_incomplete : taken.error());
}

void Dissector::take_server_message(const Flow& flow, nsl_transport transport, Octets message,
                                    std::optional<WallTime> time) {
  ServerMessage taken{time, {}, flow.destination, flow.destination_port, message};
  std::copy(flow.source.octets.begin(), flow.source.octets.end(), taken.exchange.server);
  taken.exchange.server_port = flow.source_port;
  taken.exchange.family = flow.family;
  taken.exchange.transport = static_cast<nsl_u8>(transport);
  responses_(taken);
}

Taken<void> Dissector::take_message(const Flow& flow, nsl_transport transport, Octets message, std::size_t full_length,
                                    std::optional<WallTime> time) {
  bool query = false;
  const auto read = read_questions(message, full_length, [&](const Question& question) {
    Lookup lookup{time, question};
    add_addresses(lookup.question.candidate, flow, transport);
    query |= handler_(lookup);
  });
  if (!read) return read;
  if (!query) return skip(Skip::not_query);
  ++counts_.queries;
  return {};
}

}  // namespace nslookout::capture
