// Base64 of RFC 4648 section 4: the standard alphabet, padded.
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

namespace nslookout {

[[nodiscard]] std::string to_base64(std::string_view octets);

}  // namespace nslookout
