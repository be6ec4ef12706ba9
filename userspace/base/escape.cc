#include "base/escape.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>
#include <unistr.h>

namespace nslookout {
namespace {

// The length of the well-formed UTF-8 sequence at the start of text (1 to 4), or 0. RFC 3629 section 4.
std::size_t utf8_sequence(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < text.size() && at(i) >= low && at(i) <= high;
  };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

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

void append_hex(std::string& out, char octet) {
  static constexpr char digits[] = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(octet);
  out += "\\x";
  out += digits[value >> 4];
  out += digits[value & 15];
}

std::string escape(std::string_view text, bool controls_too) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool c1 = length == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    const bool control = first < 0x20 || first == 0x7F || c1;
    const std::size_t taken = length == 0 ? 1 : length;
    if (length == 0 || (controls_too && control)) {
      for (const char octet : text.substr(0, taken)) append_hex(out, octet);
    } else if (controls_too && length > 1 && is_unseen(code_point(text.substr(0, taken)))) {
      out += fmt::format("\\u{{{:04X}}}", code_point(text.substr(0, taken)));
    } else {
      out += text.substr(0, taken);
    }
    text.remove_prefix(taken);
  }
  return out;
}

}  // namespace

bool is_utf8(std::string_view text) {
  return u8_check(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()) == nullptr;
}

std::string escape_controls(std::string_view text) { return escape(text, true); }
std::string escape_invalid_utf8(std::string_view text) { return escape(text, false); }

std::string uri_of_path(std::string_view path) {
  constexpr std::string_view kept = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  std::string uri;
  for (const char c : path) {
    uri += kept.find(c) != std::string_view::npos ? std::string(1, c)
                                                  : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

}  // namespace nslookout
