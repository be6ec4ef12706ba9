// Flags in the header of a query that rules read: the second 16 bits of a message (RFC 1035 section 4.1.1), in host order.
// Thread rule: constants.
#pragma once

#include <cstdint>

namespace nslookout {

inline constexpr std::uint16_t dns_recursion_desired = 0x0100;
// Three bits, reserved by RFC 1035 (Z); since RFC 2535 the lower two of them are AD and CD.
inline constexpr std::uint16_t dns_reserved_flags = 0x0070;
inline constexpr std::uint16_t dns_lowest_reserved_flag = 0x0010;

}  // namespace nslookout
