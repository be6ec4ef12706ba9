// Internet addresses and networks (RFC 4291 section 2.2 for the text forms; RFC 4632 for prefixes).
//
// Invariant: an IPv4-mapped address (::ffff:192.0.2.1) is the IPv4 address that it holds, everywhere. Thread rule:
// values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nslookout {

struct IpAddress {
  bool v4 = true;
  std::array<std::uint8_t, 16> octets{};  // of IPv4 the first four, the rest zero

  bool operator==(const IpAddress&) const = default;

  [[nodiscard]] std::string text() const;
};

// Nothing for a text that is no address; no blanks, no brackets, no zone.
[[nodiscard]] std::optional<IpAddress> parse_ip_address(std::string_view text);

struct IpNetwork {
  IpAddress first;
  unsigned bits = 0;

  [[nodiscard]] bool contains(const IpAddress& address) const;
};

// "10.0.0.0/8"; without a prefix length the one address. Error: invalid, what is wrong: no address, a length beyond the
// address, bits set behind it.
[[nodiscard]] Result<IpNetwork> parse_ip_network(std::string_view text);

}  // namespace nslookout
