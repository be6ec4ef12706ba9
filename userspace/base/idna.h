// Internationalised domain names: a label outside ASCII as it goes over the wire (IDNA 2008, RFC 5891; mapping and
// non-transitional processing of UTS 46, as browsers do it).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace nslookout {

[[nodiscard]] bool is_ascii(std::string_view text);

// One label in UTF-8 to its A-label ("bücher" -> "xn--bcher-kva"); lower case. Errors: invalid, saying what IDNA
// objects to.
[[nodiscard]] Result<std::string> label_to_ascii(std::string_view label);

// The same for each label outside ASCII of a dotted text; the others are kept as they are.
[[nodiscard]] Result<std::string> labels_to_ascii(std::string_view dotted);

}  // namespace nslookout
