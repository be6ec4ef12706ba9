#include "base/case_fold.h"

#include <cstdint>

#include <unicase.h>
#include <unistr.h>

#include "base/dns_name.h"
#include "base/idna.h"

namespace nslookout {
namespace {

constexpr ucs4_t dotted_capital_i = 0x130;
constexpr ucs4_t dotless_i = 0x131;

// Upper case first: it unites letters with several lower-case forms, such as the two sigmas.
ucs4_t folded(ucs4_t character) {
  if (character == dotted_capital_i || character == dotless_i) return character;
  return uc_tolower(uc_toupper(character));
}

void append(std::string& out, ucs4_t character) {
  std::uint8_t octets[6];
  const int length = u8_uctomb(octets, character, sizeof octets);
  if (length > 0) out.append(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(length));
}

}  // namespace

std::string fold_case(std::string_view text) {
  if (is_ascii(text)) return ascii_lower(text);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    ucs4_t character = 0;
    const int length = u8_mbtoucr(&character, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    if (length <= 0) {
      out += text[0];
      text.remove_prefix(1);
      continue;
    }
    append(out, folded(character));
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return out;
}

}  // namespace nslookout
