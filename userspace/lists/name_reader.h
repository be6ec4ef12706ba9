// The text of one name in a list -> its wire form in lower case.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/dns_name.h"
#include "base/result.h"

namespace nslookout::lists {

// Thread rule: one thread. The views it returns are valid until its next call.
class NameReader {
 public:
  // Without an allocation, for names of letters, digits, '-' and '_'; nothing for any other name and for one that is
  // wrong.
  [[nodiscard]] std::optional<std::string_view> usual(std::string_view text);

  // Any name. Errors: invalid, what is wrong with it; the root is wrong too.
  [[nodiscard]] Result<std::string_view> read(std::string_view text);

 private:
  std::array<char, max_name_octets + 1> buffer_{};
  std::string unusual_;
};

// An IPv4 or IPv6 address, with a zone ("fe80::1%lo0") or without.
[[nodiscard]] bool is_address(std::string_view text);

// The same, quickly false for names: no top-level domain ends in a digit.
[[nodiscard]] inline bool may_be_address(std::string_view text) {
  return !text.empty() && text.back() >= '0' && text.back() <= '9' && is_address(text);
}

}  // namespace nslookout::lists
