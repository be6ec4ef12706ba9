#include "base/rcode.h"

#include <array>
#include <charconv>

#include "base/dns_name.h"

namespace nslookout {
namespace {

struct Name {
  std::uint16_t number;
  std::string_view name;
};

constexpr auto names = std::to_array<Name>({
    {0, "NOERROR"},  {1, "FORMERR"},    {2, "SERVFAIL"}, {3, "NXDOMAIN"},  {4, "NOTIMP"},
    {5, "REFUSED"},  {6, "YXDOMAIN"},   {7, "YXRRSET"},  {8, "NXRRSET"},   {9, "NOTAUTH"},
    {10, "NOTZONE"}, {11, "DSOTYPENI"}, {16, "BADVERS"}, {17, "BADKEY"},   {18, "BADTIME"},
    {19, "BADMODE"}, {20, "BADNAME"},   {21, "BADALG"},  {22, "BADTRUNC"}, {23, "BADCOOKIE"},
});

}  // namespace

std::string rcode_name(std::uint16_t number) {
  for (const Name& known : names) {
    if (known.number == number) return std::string(known.name);
  }
  return "RCODE" + std::to_string(number);
}

std::optional<std::uint16_t> rcode_number(std::string_view text) {
  const std::string lower = ascii_lower(text);
  for (const Name& known : names) {
    if (ascii_lower(known.name) == lower) return known.number;
  }
  std::string_view digits = lower;
  if (digits.starts_with("rcode")) digits.remove_prefix(5);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace nslookout
