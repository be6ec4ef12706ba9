#include "lists/public_suffixes.h"

#include <array>
#include <future>

#include <libpsl.h>

#include "base/dns_name.h"

namespace nslookout::lists {
namespace {

constexpr std::size_t worth_a_thread = 50'000;

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
  if (table.size() < worth_a_thread) return find_between(table, 0, table.size());
  const std::size_t half = table.size() / 2;
  auto later = std::async(std::launch::async, find_between, std::cref(table), half, table.size());
  PublicSuffixes found = find_between(table, 0, half);
  const PublicSuffixes rest = later.get();
  if (found.count == 0) found.first = rest.first;
  found.count += rest.count;
  return found;
}

}  // namespace nslookout::lists
