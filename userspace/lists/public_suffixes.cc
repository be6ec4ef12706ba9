#include "lists/public_suffixes.h"

#include <array>
#include <utility>
#include <vector>

#include <libpsl.h>

#include "base/dns_name.h"
#include "base/parallel.h"

namespace nslookout::lists {
namespace {

using Text = std::array<char, max_name_octets + 1>;

// The wire name as dotted text. A dot or NUL inside a label comes out wrong, and no public suffix has one.
const char* dotted(std::string_view wire, Text& text) {
  std::size_t out = 0;
  for (std::size_t at = 0; wire[at] != '\0';) {
    const auto length = static_cast<unsigned char>(wire[at]);
    wire.copy(text.data() + out, length, at + 1);
    out += length;
    text[out++] = '.';
    at += 1 + length;
  }
  text[out - 1] = '\0';
  return text.data();
}

PublicSuffixes find_between(const NameTable& table, std::size_t begin, std::size_t end) {
  const psl_ctx_t* const known = psl_builtin();
  PublicSuffixes found;
  Text text{};
  for (std::size_t i = begin; i < end; ++i) {
    const NameEntry entry = table.entry(i);
    if (!entry.below || psl_is_public_suffix(known, dotted(entry.wire, text)) == 0) continue;
    if (found.count++ == 0) found.first = wire_to_presentation(entry.wire);
  }
  return found;
}

}  // namespace

PublicSuffixes find_public_suffixes(const NameTable& table) {
  const std::size_t parts = parts_for(table.size());
  std::vector<PublicSuffixes> found(parts);
  in_parts(table.size(), parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
    found[part] = find_between(table, begin, end);
  });
  PublicSuffixes all;
  for (PublicSuffixes& part : found) {
    if (all.count == 0) all.first = std::move(part.first);
    all.count += part.count;
  }
  return all;
}

}  // namespace nslookout::lists
