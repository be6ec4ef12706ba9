#include "report/visible.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "base/escape.h"

namespace nslookout::report {
namespace {

struct Range {
  std::uint32_t first, last;
};

// Format characters (general category Cf) and separators that break lines: none is needed to read a name.
constexpr std::array<Range, 11> unseen = {{{0x00AD, 0x00AD},
                                           {0x061C, 0x061C},
                                           {0x180E, 0x180E},
                                           {0x200B, 0x200F},
                                           {0x2028, 0x202E},
                                           {0x2060, 0x206F},
                                           {0xFE00, 0xFE0F},
                                           {0xFEFF, 0xFEFF},
                                           {0xFFF9, 0xFFFB},
                                           {0xE0000, 0xE007F},
                                           {0xE0100, 0xE01EF}}};

// The length of a character by its first octet; the text is well-formed UTF-8.
std::size_t length_of(unsigned char first) { return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4; }

std::uint32_t code_point(std::string_view character) {
  constexpr std::array<unsigned char, 5> masks = {0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t value = static_cast<unsigned char>(character[0]) & masks.at(character.size());
  for (const char c : character.substr(1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3F);
  return value;
}

bool is_unseen(std::uint32_t point) {
  return std::any_of(unseen.begin(), unseen.end(),
                     [point](const Range& range) { return point >= range.first && point <= range.last; });
}

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
    } else if (const auto point = code_point(character); is_unseen(point)) {
      shown += fmt::format("\\u{{{:04X}}}", point);
    } else {
      shown += character;
    }
  }
  return shown;
}

}  // namespace nslookout::report
