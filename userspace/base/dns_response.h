// A DNS response as octets -> its question, response code and the records of its answer section (RFC 1035 section 4.1).
//
// Written for hostile octets: reading stops at the first thing that cannot be read, what came before it counts, and the
// result says so. Nothing here is longer than the message; names are taken apart by libresolv, which ends compression
// loops. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nslookout {

struct DnsQuestion {
  std::string wire;  // the name, uncompressed, lower case
  std::uint16_t record_type = 0;
  std::uint16_t record_class = 0;
};

struct DnsResponse {
  std::uint16_t id = 0;
  std::uint16_t rcode = 0;  // with the upper bits of an OPT record where there is one (RFC 6891 section 6.1.3)
  bool truncated = false;   // TC: the server had more to say
  bool damaged = false;     // the message ends, or cannot be read, before its answer section ends
  std::vector<DnsQuestion> questions;
  // Of every record of the answer section, in order: an address (A, AAAA); a name in presentation form and lower case
  // (CNAME, DNAME, NS, PTR, and the host of MX and SRV); the strings of a TXT record joined, with a backslash as \\ and
  // octets outside 0x20..0x7E as \DDD; any other type's data in the form of RFC 3597 section 5, "\# 4 0a000001".
  std::vector<std::string> answers;
};

// Nothing where the octets are no response: no whole header, no QR bit, another opcode than QUERY.
[[nodiscard]] std::optional<DnsResponse> parse_dns_response(std::string_view message);

}  // namespace nslookout
