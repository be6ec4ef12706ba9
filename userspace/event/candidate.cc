#include "event/candidate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/dns_name.h"
#include "base/record_type.h"

namespace nslookout::event {
namespace {

// Nothing where the kernel did not see an address (a socket not bound yet, say).
std::optional<Endpoint> endpoint(std::uint8_t family, const std::uint8_t (&address)[16], std::uint16_t port) {
  const bool all_zero = std::all_of(std::begin(address), std::end(address), [](std::uint8_t o) { return o == 0; });
  if (all_zero && port == 0) return std::nullopt;
  Endpoint out;
  out.port = port;
  char text[INET6_ADDRSTRLEN] = {};
  if (::inet_ntop(family == 4 ? AF_INET : AF_INET6, address, text, sizeof text) != nullptr) out.ip = text;
  return out;
}

const char* transport_name(std::uint8_t transport) {
  switch (transport) {
    case NSL_TCP:
      return "tcp";
    case NSL_VARLINK:
      return "varlink";
    case NSL_NSCD:
      return "nscd";
    default:
      return "udp";
  }
}

}  // namespace

std::string_view wire_name(const nsl_candidate& candidate) {
  return {reinterpret_cast<const char*>(candidate.name),
          std::min<std::size_t>(candidate.name_length, sizeof candidate.name)};
}

Dns describe_dns(const nsl_candidate& candidate) {
  Dns dns;
  dns.query_wire = wire_name(candidate);
  if (is_wire_name(dns.query_wire)) dns.query = ascii_lower(wire_to_presentation(dns.query_wire));
  dns.transport = transport_name(candidate.transport);
  const bool over_unix_socket = candidate.transport == NSL_VARLINK || candidate.transport == NSL_NSCD;
  if (over_unix_socket && candidate.record_type == 0) {
    dns.record_type = "A+AAAA";
  } else {
    dns.record_type = record_type_name(candidate.record_type);
    dns.record_type_id = candidate.record_type;
  }
  if (over_unix_socket) return dns;
  dns.id = candidate.id;
  dns.server = endpoint(candidate.family, candidate.server, candidate.server_port);
  dns.source = endpoint(candidate.family, candidate.source, candidate.source_port);
  if (candidate.wire_port != candidate.server_port) dns.wire_port = candidate.wire_port;
  if (candidate.question_count > 1) dns.question_count = candidate.question_count;
  return dns;
}

}  // namespace nslookout::event
