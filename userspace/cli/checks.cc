#include "cli/checks.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "base/search_suffix.h"
#include "lists/spec.h"
#include "sink/spec.h"

namespace nslookout::cli {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds longest_duration{std::chrono::years{100}};

std::optional<std::chrono::seconds> parse_duration(const std::string& value) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end + 1 != value.data() + value.size()) return std::nullopt;
  std::chrono::seconds unit{};
  switch (*end) {
    case 's':
      unit = 1s;
      break;
    case 'm':
      unit = 1min;
      break;
    case 'h':
      unit = 1h;
      break;
    case 'd':
      unit = std::chrono::days{1};
      break;
    case 'w':
      unit = std::chrono::weeks{1};
      break;
    default:
      return std::nullopt;
  }
  const std::chrono::seconds span = number * unit;
  return span <= longest_duration ? std::optional(span) : std::nullopt;
}

}  // namespace

std::string check_not_empty(const std::string& value) { return value.empty() ? "the value is empty" : ""; }

std::string check_list_spec(const std::string& value) {
  const auto spec = lists::parse_spec(value);
  return spec ? "" : spec.error().message;
}

std::string check_output_spec(const std::string& value) {
  const auto spec = sink::parse_spec(value);
  return spec ? "" : spec.error().message;
}

std::string check_assignment(const std::string& value) {
  const auto equals = value.find('=');
  return equals != std::string::npos && equals != 0 ? "" : fmt::format("'{}' is not FIELD=VALUE", value);
}

std::string check_port(const std::string& value) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), port);
  const bool whole = error == std::errc{} && end == value.data() + value.size();
  return whole && port != 0 ? "" : fmt::format("'{}' is no port (1 to 65535)", value);
}

std::string check_duration(const std::string& value) {
  return parse_duration(value) ? "" : fmt::format("'{}' is no time span such as 90s, 30m, 24h, 7d or 2w", value);
}

std::chrono::seconds duration_of(const std::string& value) { return parse_duration(value).value_or(0s); }

std::string check_http_url(const std::string& value) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (value.starts_with(scheme) && value.size() > scheme.size()) return "";
  }
  return fmt::format("'{}' is no URL that begins with http:// or https://", value);
}

std::string check_search_suffix(const std::string& value) {
  if (value == "auto" || value == "none") return "";
  const auto suffix = parse_search_suffix(value);
  return suffix ? "" : suffix.error().message;
}

}  // namespace nslookout::cli
