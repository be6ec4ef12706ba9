// DNS record types: names and numbers, from the IANA registry "Resource Record (RR) TYPEs" as of 2025.
// A number without a name is written TYPEnnn (RFC 3597 section 5), and that form is read back for every number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nslookout {

// "A", "AAAA", "HTTPS", …, "TYPE65280".
[[nodiscard]] std::string record_type_name(std::uint16_t number);

// Any case; "TYPE28" and "28" are 28 as "AAAA" is. Nothing for a text that names no type.
[[nodiscard]] std::optional<std::uint16_t> record_type_number(std::string_view name);

}  // namespace nslookout
