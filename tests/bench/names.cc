#include "names.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace nslookout::bench {
namespace {

constexpr std::array<std::string_view, 16> top_level_domains = {
    "com", "com", "com", "com", "net", "org", "info", "xyz", "top", "ru", "cn", "shop", "site", "online", "de", "io"};

// Mixes a number so that neighbours have nothing in common (an odd constant with half its bits set).
std::uint64_t scattered(std::uint64_t number) {
  number = (number + 1) * 0x9e3779b97f4a7c15U;
  number ^= number >> 32;
  number *= 0xd6e8feb86659fd93U;
  return number ^ (number >> 29);
}

void append_label(std::string& wire, std::string_view label) {
  wire.push_back(static_cast<char>(label.size()));
  wire += label;
}

// 6 to 13 letters and the number itself, so that no two are the same.
std::string letters_of(std::size_t number) {
  std::uint64_t bits = scattered(number);
  std::string label = std::to_string(number);
  const std::size_t letters = 6 + bits % 8;
  for (std::size_t i = 0; i < letters; ++i, bits >>= 5) label.push_back(static_cast<char>('a' + bits % 26));
  return label;
}

}  // namespace

std::vector<std::string> made_up_names(std::size_t count) {
  std::vector<std::string> names;
  names.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t bits = scattered(i) >> 40;
    std::string wire;
    if (bits % 10 >= 7) append_label(wire, bits % 10 == 7 ? "www" : "cdn");
    if (bits % 10 == 9) append_label(wire, "assets");
    append_label(wire, letters_of(i));
    append_label(wire, top_level_domains[(bits >> 8) % top_level_domains.size()]);
    wire.push_back('\0');
    names.push_back(std::move(wire));
  }
  return names;
}

std::vector<compile::KernelName> to_list(const std::vector<std::string>& names) {
  std::vector<compile::KernelName> list;
  list.reserve(names.size());
  for (const std::string& name : names) list.push_back({.wire = name, .exact = true, .below = true});
  return list;
}

}  // namespace nslookout::bench
