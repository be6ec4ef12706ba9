#include "base/idna.h"

#include <algorithm>
#include <memory>

#include <idn2.h>

namespace nslookout {

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char octet) { return static_cast<unsigned char>(octet) < 0x80; });
}

Result<std::string> label_to_ascii(std::string_view label) {
  char* raw = nullptr;
  const int code = idn2_to_ascii_8z(std::string(label).c_str(), &raw, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, void (*)(void*)> converted(raw, idn2_free);
  if (code != IDN2_OK) {
    return fail(ErrorClass::invalid, "'{}' is not a label of an internationalised name: {}", label,
                idn2_strerror(code));
  }
  return std::string(converted.get());
}

Result<std::string> labels_to_ascii(std::string_view dotted) {
  std::string out;
  while (true) {
    const std::size_t dot = std::min(dotted.find('.'), dotted.size());
    const std::string_view label = dotted.substr(0, dot);
    const Result<std::string> converted = is_ascii(label) ? std::string(label) : label_to_ascii(label);
    if (!converted) return fail(converted.error());
    out += *converted;
    if (dot == dotted.size()) return out;
    out += '.';
    dotted.remove_prefix(dot + 1);
  }
}

}  // namespace nslookout
