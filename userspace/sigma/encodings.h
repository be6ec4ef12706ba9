// What modifiers make of a literal text before it is compared: other dashes, UTF-16, Base64 (Sigma specification 2.1,
// appendix "Modifiers"). Pure functions.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nslookout::sigma {

enum class Utf16 { little_endian, big_endian, marked };  // marked: a byte order mark, then little-endian

// Error: invalid, where text is not UTF-8.
[[nodiscard]] Result<std::string> to_utf16(std::string_view text, Utf16 form);

// The three texts of which one is in the Base64 form of whatever holds octets, by the place modulo three where they
// begin there; what depends on the neighbours is cut off.
[[nodiscard]] std::array<std::string, 3> to_base64_offsets(std::string_view octets);

// text with each dash or slash that begins a word, and no word ends there, as each of - / and the en dash, the em dash
// and the horizontal bar: all combinations. Nothing where there would be more than limit.
[[nodiscard]] std::vector<std::string> dash_variants(std::string_view text, std::size_t limit);

}  // namespace nslookout::sigma
