#include "lists/name_reader.h"

#include <algorithm>

#include <arpa/inet.h>

#include "base/idna.h"

namespace nslookout::lists {
namespace {

// For each octet: its lower-case form when it is usual in a host or service name, 0 otherwise.
constexpr std::array<char, 256> usual_octets = [] {
  std::array<char, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = c;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = static_cast<char>(c - 'A' + 'a');
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = c;
  table['-'] = '-';
  table['_'] = '_';
  return table;
}();

// Characters that can only be a mistake when they stand in a name as they are.
Result<void> check_octets(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet == '\\') {
      ++i;
    } else if (octet < 0x80 && octet != '.' && usual_octets[octet] == 0) {
      return fail(ErrorClass::invalid, "the character '{}' cannot stand in a name unescaped", text[i]);
    }
  }
  return {};
}

}  // namespace

std::optional<std::string_view> NameReader::usual(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() + 2 > max_name_octets) return std::nullopt;
  std::size_t label = 0;
  std::size_t at = 1;
  for (const char octet : text) {
    if (octet == '.') {
      const std::size_t length = at - label - 1;
      if (length == 0 || length > max_label_octets) return std::nullopt;
      buffer_[label] = static_cast<char>(length);
      label = at++;
      continue;
    }
    const char lower = usual_octets[static_cast<unsigned char>(octet)];
    if (lower == 0) return std::nullopt;
    buffer_[at++] = lower;
  }
  const std::size_t length = at - label - 1;
  if (length == 0 || length > max_label_octets) return std::nullopt;
  buffer_[label] = static_cast<char>(length);
  buffer_[at++] = '\0';
  return std::string_view(buffer_.data(), at);
}

Result<std::string_view> NameReader::read(std::string_view text) {
  if (const auto wire = usual(text)) return *wire;
  if (const auto checked = check_octets(text); !checked) return fail(checked.error());
  const Result<std::string> ascii = labels_to_ascii(text);
  if (!ascii) return fail(ascii.error());
  const Result<std::string> wire = presentation_to_wire(*ascii);
  if (!wire) return fail(wire.error());
  if (wire->size() == 1) return fail(ErrorClass::invalid, "the root cannot be listed");
  unusual_ = ascii_lower(*wire);
  return unusual_;
}

bool is_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN + 32> buffer{};
  text = text.substr(0, text.find('%'));
  if (text.size() >= buffer.size()) return false;
  std::ranges::copy(text, buffer.begin());
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET, buffer.data(), address.data()) == 1 ||
         inet_pton(AF_INET6, buffer.data(), address.data()) == 1;
}

}  // namespace nslookout::lists
