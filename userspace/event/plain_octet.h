// Octets that a string of JSON has as they are: ASCII but what it must not have (RFC 8259 section 7), and '<', '>', which pages
// take for their own. Thread rule: pure functions.
#pragma once

namespace nslookout::event {

[[nodiscard]] constexpr bool is_plain(unsigned char octet) {
  return octet >= 0x20 && octet < 0x7F && octet != '"' && octet != '\\' && octet != '<' && octet != '>';
}

}  // namespace nslookout::event
