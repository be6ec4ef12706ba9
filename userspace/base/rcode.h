// DNS response codes: names and numbers, from the IANA registry "DNS RCODEs" (RFC 6895 section 2.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nslookout {

// "NOERROR", "NXDOMAIN", …; "RCODEnnn" for a number without a name.
[[nodiscard]] std::string rcode_name(std::uint16_t number);

// Any case, and the numbers themselves: "nxdomain", "RCODE3" and "3" are 3. Nothing for another text.
[[nodiscard]] std::optional<std::uint16_t> rcode_number(std::string_view text);

}  // namespace nslookout
