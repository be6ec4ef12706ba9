#include "base/dns_name.h"

namespace nslookout {

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

std::string wire_to_presentation(std::string_view wire) {
  if (wire.size() <= 1) return ".";
  std::string out;
  out.reserve(wire.size());
  std::size_t at = 0;
  while (at < wire.size()) {
    const std::size_t length = static_cast<unsigned char>(wire[at]);
    if (length == 0) break;
    if (!out.empty()) out += '.';
    for (const char octet : wire.substr(at + 1, length)) {
      const auto value = static_cast<unsigned char>(octet);
      if (octet == '.' || octet == '\\') {
        out += '\\';
        out += octet;
      } else if (value < 0x21 || value > 0x7E) {
        out += '\\';
        out += static_cast<char>('0' + value / 100);
        out += static_cast<char>('0' + value / 10 % 10);
        out += static_cast<char>('0' + value % 10);
      } else {
        out += octet;
      }
    }
    at += 1 + length;
  }
  return out;
}

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads one octet of a label at text[at], an escape or a plain character, and moves at behind it.
Result<char> read_octet(std::string_view text, std::size_t& at) {
  if (text[at] != '\\') return text[at++];
  if (at + 1 >= text.size()) return fail(ErrorClass::invalid, "the name ends in a single backslash");
  if (!is_digit(text[at + 1])) {
    at += 2;
    return text[at - 1];
  }
  if (at + 3 >= text.size() || !is_digit(text[at + 2]) || !is_digit(text[at + 3])) {
    return fail(ErrorClass::invalid, "an escape \\DDD needs three decimal digits");
  }
  const int value = (text[at + 1] - '0') * 100 + (text[at + 2] - '0') * 10 + (text[at + 3] - '0');
  if (value > 255) return fail(ErrorClass::invalid, "the escape \\{} is larger than 255", value);
  at += 4;
  return static_cast<char>(value);
}

}  // namespace

Result<std::string> presentation_to_wire(std::string_view text) {
  if (text.empty()) return fail(ErrorClass::invalid, "the name is empty");
  if (text == ".") return std::string(1, '\0');
  std::string wire;
  wire.reserve(text.size() + 2);
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length_at = wire.size();
    wire += '\0';
    while (at < text.size() && text[at] != '.') {
      const Result<char> octet = read_octet(text, at);
      if (!octet) return fail(octet.error());
      wire += *octet;
    }
    const std::size_t length = wire.size() - length_at - 1;
    if (length == 0) return fail(ErrorClass::invalid, "the name has an empty label");
    if (length > max_label_octets) {
      return fail(ErrorClass::invalid, "a label has {} octets, at most {} are allowed", length, max_label_octets);
    }
    wire[length_at] = static_cast<char>(length);
    if (at < text.size()) ++at;  // the dot; one at the very end closes the name
  }
  wire += '\0';
  if (wire.size() > max_name_octets) {
    return fail(ErrorClass::invalid, "the name has {} octets on the wire, at most {} are allowed", wire.size(),
                max_name_octets);
  }
  return wire;
}

bool is_wire_name(std::string_view wire) {
  if (wire.empty() || wire.size() > max_name_octets) return false;
  std::size_t at = 0;
  while (at < wire.size()) {
    const std::size_t length = static_cast<unsigned char>(wire[at]);
    if (length == 0) return at + 1 == wire.size();
    if (length > max_label_octets) return false;
    at += 1 + length;
  }
  return false;
}

std::size_t label_count(std::string_view wire) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < wire.size() && wire[at] != '\0'; at += 1 + static_cast<unsigned char>(wire[at]))
    ++count;
  return count;
}

}  // namespace nslookout
