// The table of datagram shapes: what is sent to a DNS port, and which questions of it are candidates (RFC 1035 sections
// 3.1 and 4.1; field cases 1 to 31). Data alone; wire_shapes_test.cc sends it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness.h"

namespace nslookout::kernel_test {

// A question that must come out of a datagram, name as sent.
struct Wanted {
  std::string name;
  std::uint16_t type = 1;
  std::uint16_t record_class = 1;
};

struct WireShape {
  std::string name;
  std::vector<std::string> datagrams;
  std::vector<Wanted> wanted = {};      // none: nothing may come
  std::vector<ListedName> listed = {};  // empty: the zone of this run
  bool every_query = false;             // tables under which anything that parses as a query comes out
  std::uint64_t not_dns_at_least = 0;   // the counter must rise by this much
};

[[nodiscard]] std::vector<WireShape> name_shapes();       // lengths, octets, case, depth, what is listed
[[nodiscard]] std::vector<WireShape> header_shapes();     // counts, flags, opcodes, types, EDNS
[[nodiscard]] std::vector<WireShape> malformed_shapes();  // truncated, endless, oversized
[[nodiscard]] std::vector<WireShape> foreign_shapes();    // other protocols on port 53

}  // namespace nslookout::kernel_test
