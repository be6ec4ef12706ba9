#include "base/record_type.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/dns_name.h"

namespace nslookout {
namespace {

struct RecordType {
  std::uint16_t number;
  std::string_view name;
};

// In the order of the numbers: record_type_name searches by halves.
constexpr std::array record_types = std::to_array<RecordType>({
    {1, "A"},        {2, "NS"},      {3, "MD"},          {4, "MF"},       {5, "CNAME"},      {6, "SOA"},
    {7, "MB"},       {8, "MG"},      {9, "MR"},          {10, "NULL"},    {11, "WKS"},       {12, "PTR"},
    {13, "HINFO"},   {14, "MINFO"},  {15, "MX"},         {16, "TXT"},     {17, "RP"},        {18, "AFSDB"},
    {19, "X25"},     {20, "ISDN"},   {21, "RT"},         {22, "NSAP"},    {23, "NSAP-PTR"},  {24, "SIG"},
    {25, "KEY"},     {26, "PX"},     {27, "GPOS"},       {28, "AAAA"},    {29, "LOC"},       {30, "NXT"},
    {31, "EID"},     {32, "NIMLOC"}, {33, "SRV"},        {34, "ATMA"},    {35, "NAPTR"},     {36, "KX"},
    {37, "CERT"},    {38, "A6"},     {39, "DNAME"},      {40, "SINK"},    {41, "OPT"},       {42, "APL"},
    {43, "DS"},      {44, "SSHFP"},  {45, "IPSECKEY"},   {46, "RRSIG"},   {47, "NSEC"},      {48, "DNSKEY"},
    {49, "DHCID"},   {50, "NSEC3"},  {51, "NSEC3PARAM"}, {52, "TLSA"},    {53, "SMIMEA"},    {55, "HIP"},
    {56, "NINFO"},   {57, "RKEY"},   {58, "TALINK"},     {59, "CDS"},     {60, "CDNSKEY"},   {61, "OPENPGPKEY"},
    {62, "CSYNC"},   {63, "ZONEMD"}, {64, "SVCB"},       {65, "HTTPS"},   {66, "DSYNC"},     {99, "SPF"},
    {100, "UINFO"},  {101, "UID"},   {102, "GID"},       {103, "UNSPEC"}, {104, "NID"},      {105, "L32"},
    {106, "L64"},    {107, "LP"},    {108, "EUI48"},     {109, "EUI64"},  {128, "NXNAME"},   {249, "TKEY"},
    {250, "TSIG"},   {251, "IXFR"},  {252, "AXFR"},      {253, "MAILB"},  {254, "MAILA"},    {255, "ANY"},
    {256, "URI"},    {257, "CAA"},   {258, "AVC"},       {259, "DOA"},    {260, "AMTRELAY"}, {261, "RESINFO"},
    {262, "WALLET"}, {32768, "TA"},  {32769, "DLV"},
});
static_assert(std::ranges::is_sorted(record_types, {}, &RecordType::number));

std::optional<std::uint16_t> number_in(std::string_view lower) {
  constexpr std::string_view prefix = "type";
  if (lower.starts_with(prefix)) lower.remove_prefix(prefix.size());
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(lower.data(), lower.data() + lower.size(), number);
  if (error != std::errc() || end != lower.data() + lower.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string record_type_name(std::uint16_t number) {
  const auto* found = std::ranges::lower_bound(record_types, number, {}, &RecordType::number);
  if (found != record_types.end() && found->number == number) return std::string(found->name);
  return fmt::format("TYPE{}", number);
}

std::optional<std::uint16_t> record_type_number(std::string_view name) {
  const std::string lower = ascii_lower(name);
  for (const RecordType& type : record_types) {
    if (ascii_lower(type.name) == lower) return type.number;
  }
  return number_in(lower);
}

}  // namespace nslookout
