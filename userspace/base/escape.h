// Text that came from outside (names, argv, comm, paths) on its way to a person or to protobuf.
#pragma once

#include <string>
#include <string_view>

namespace nslookout {

// Control characters (C0, DEL, and the C1 range in UTF-8) and octets that are not UTF-8 become \xHH, characters that
// are not seen, reorder what stands beside them (Unicode UAX #9) or break lines \u{H}; everything else is kept. For
// people: the result is one line, in the order of its octets, whatever the input.
[[nodiscard]] std::string escape_controls(std::string_view text);

// Well-formed UTF-8 (RFC 3629) throughout.
[[nodiscard]] bool is_utf8(std::string_view text);

// Octets that are not part of well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF) become
// \xHH; everything else, control characters included, is kept: protobuf strings and JSON can carry those.
[[nodiscard]] std::string escape_invalid_utf8(std::string_view text);

// A file's path as the reference of a URI (RFC 3986 section 2.1).
[[nodiscard]] std::string uri_of_path(std::string_view path);

}  // namespace nslookout
