// A domain name in wire form and in presentation form (RFC 1035 sections 3.1 and 5.1).
//
// Wire form here: labels, each after its length octet, closed by the zero octet of the root; at most 255 octets, labels
// of 1 to 63 octets of any value. Presentation form: labels joined by dots, no trailing dot, the root is "."; a dot or
// a backslash inside a label is escaped with a backslash, an octet outside 0x21..0x7E as \DDD (three decimal digits).
// Case is folded for ASCII letters alone (RFC 4343).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nslookout {

inline constexpr std::size_t max_name_octets = 255;  // RFC 1035 section 2.3.4
inline constexpr std::size_t max_label_octets = 63;

// Folds 'A'..'Z' and nothing else.
[[nodiscard]] std::string ascii_lower(std::string_view text);

// wire must be well formed (ends with the root, no pointers); the kernel's parser guarantees that for every hit.
// Case is kept: fold first where lower case is wanted.
[[nodiscard]] std::string wire_to_presentation(std::string_view wire);

// Reads presentation form: one trailing dot is allowed, "." is the root, case is kept. Errors (empty label, label or
// name too long, bad escape) say what is wrong with the name in words; the caller adds the place.
[[nodiscard]] Result<std::string> presentation_to_wire(std::string_view text);

// Whether wire is one complete, well-formed, uncompressed name.
[[nodiscard]] bool is_wire_name(std::string_view wire);

// The number of labels of a well-formed wire name; the root has none.
[[nodiscard]] std::size_t label_count(std::string_view wire);

}  // namespace nslookout
