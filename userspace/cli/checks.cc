#include "cli/checks.h"

#include <charconv>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "base/search_suffix.h"
#include "lists/spec.h"

namespace nslookout::cli {

std::string check_not_empty(const std::string& value) { return value.empty() ? "the value is empty" : ""; }

std::string check_list_spec(const std::string& value) {
  const auto spec = lists::parse_spec(value);
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
