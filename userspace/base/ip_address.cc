#include "base/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <span>

namespace nslookout {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned mapped_bits = 96;

bool bit(const IpAddress& address, unsigned index) { return (address.octets[index / 8] >> (7 - index % 8) & 1U) != 0; }

// The address as its text has it, IPv4-mapped ones still in 16 octets.
std::optional<IpAddress> read_address(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.octets.data()) == 1) return address;
  address.v4 = false;
  if (inet_pton(AF_INET6, terminated.c_str(), address.octets.data()) == 1) return address;
  return std::nullopt;
}

bool is_mapped(const IpAddress& address) {
  return !address.v4 && std::ranges::equal(mapped_prefix, std::span(address.octets).first<12>());
}

IpAddress unmapped(const IpAddress& address) {
  if (!is_mapped(address)) return address;
  IpAddress v4;
  std::copy_n(address.octets.begin() + 12, 4, v4.octets.begin());
  return v4;
}

}  // namespace

std::string IpAddress::text() const {
  char out[INET6_ADDRSTRLEN] = {};
  inet_ntop(v4 ? AF_INET : AF_INET6, octets.data(), out, sizeof out);
  return out;
}

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  const std::optional<IpAddress> address = read_address(text);
  if (!address) return std::nullopt;
  return unmapped(*address);
}

bool IpNetwork::contains(const IpAddress& address) const {
  if (address.v4 != first.v4) return false;
  for (unsigned i = 0; i < bits; ++i) {
    if (bit(address, i) != bit(first, i)) return false;
  }
  return true;
}

Result<IpNetwork> parse_ip_network(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::optional<IpAddress> address = read_address(text.substr(0, slash));
  if (!address) return fail(ErrorClass::invalid, "'{}' is no network: '{}' is no address", text, text.substr(0, slash));
  const unsigned width = address->v4 ? 32 : 128;
  unsigned bits = width;
  if (slash < text.size()) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size() || bits > width) {
      return fail(ErrorClass::invalid, "'{}' is no network: the prefix length must be a number up to {}", text, width);
    }
  }
  for (unsigned i = bits; i < width; ++i) {
    if (bit(*address, i)) {
      return fail(ErrorClass::invalid, "'{}' is no network: the address has bits set behind the prefix of {} bits",
                  text, bits);
    }
  }
  if (is_mapped(*address) && bits >= mapped_bits) return IpNetwork{unmapped(*address), bits - mapped_bits};
  return IpNetwork{*address, bits};
}

}  // namespace nslookout
