#include "sigma/encodings.h"

#include <cstdint>
#include <span>

#include <unistr.h>

#include "base/base64.h"

namespace nslookout::sigma {
namespace {

// Letters outside ASCII are taken as parts of words.
bool is_word(unsigned char octet) {
  return (octet >= '0' && octet <= '9') || (octet >= 'A' && octet <= 'Z') || (octet >= 'a' && octet <= 'z') ||
         octet == '_' || octet >= 0x80;
}

void append_unit(std::string& out, std::uint16_t unit, bool big_endian) {
  const char high = static_cast<char>(unit >> 8);
  const char low = static_cast<char>(unit & 0xFF);
  out += big_endian ? high : low;
  out += big_endian ? low : high;
}

bool begins_option(std::string_view text, std::size_t at) {
  if (text[at] != '-' && text[at] != '/') return false;
  const bool behind_word = at > 0 && is_word(static_cast<unsigned char>(text[at - 1]));
  return !behind_word && at + 1 < text.size() && is_word(static_cast<unsigned char>(text[at + 1]));
}

}  // namespace

Result<std::string> to_utf16(std::string_view text, Utf16 form) {
  std::string out;
  if (form == Utf16::marked) append_unit(out, 0xFEFF, false);
  while (!text.empty()) {
    ucs4_t character = 0;
    const int length = u8_mbtoucr(&character, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    if (length <= 0) return fail(ErrorClass::invalid, "the text is not UTF-8 and has no UTF-16 form");
    std::uint16_t units[2];
    const int count = u16_uctomb(units, character, 2);
    for (int i = 0; i < count; ++i) append_unit(out, units[i], form == Utf16::big_endian);
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return out;
}

std::array<std::string, 3> to_base64_offsets(std::string_view octets) {
  constexpr std::array<std::size_t, 3> cut_at_start = {0, 2, 3};
  constexpr std::array<std::size_t, 3> cut_at_end = {0, 3, 2};
  std::array<std::string, 3> out;
  for (std::size_t offset = 0; offset < 3; ++offset) {
    const std::string encoded = to_base64(std::string(offset, ' ').append(octets));
    const std::size_t cut = cut_at_start[offset] + cut_at_end[(octets.size() + offset) % 3];
    out[offset] = encoded.size() <= cut ? "" : encoded.substr(cut_at_start[offset], encoded.size() - cut);
  }
  return out;
}

std::vector<std::string> dash_variants(std::string_view text, std::size_t limit) {
  static constexpr std::array<std::string_view, 5> dashes = {"-", "/", "\xE2\x80\x93", "\xE2\x80\x94", "\xE2\x80\x95"};
  std::vector<std::string> variants = {""};
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!begins_option(text, at)) {
      for (std::string& variant : variants) variant += text[at];
      continue;
    }
    if (variants.size() * dashes.size() > limit) return {};
    std::vector<std::string> longer;
    longer.reserve(variants.size() * dashes.size());
    for (const std::string& variant : variants) {
      for (const std::string_view dash : dashes) longer.push_back(variant + std::string(dash));
    }
    variants = std::move(longer);
  }
  return variants;
}

}  // namespace nslookout::sigma
