#include "report/visible.h"

#include "base/escape.h"

namespace nslookout::report {
namespace {

// The length of a character by its first octet; the text is well-formed UTF-8.
std::size_t length_of(unsigned char first) { return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4; }

}  // namespace

std::string visible(std::string_view text) { return visible(text, std::string_view::npos); }

std::string visible(std::string_view text, std::size_t characters) {
  const std::string plain = escape_controls(text);
  std::string shown;
  for (std::size_t at = 0, count = 0; at < plain.size(); ++count) {
    if (count == characters) return shown + "…";
    const std::string_view character =
        std::string_view(plain).substr(at, length_of(static_cast<unsigned char>(plain[at])));
    at += character.size();
    if (character == "#" && shown.ends_with('#')) {
      shown += "\\x23";
    } else {
      shown += character;
    }
  }
  return shown;
}

}  // namespace nslookout::report
