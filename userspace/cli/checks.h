// Checks of option values, in CLI11's form: a function from the value to what is wrong with it, empty when nothing is.
#pragma once

#include <chrono>
#include <string>

namespace nslookout::cli {

[[nodiscard]] std::string check_not_empty(const std::string& value);

// "exact:FILE" or "suffix:FILE", with options (lists/spec.h).
[[nodiscard]] std::string check_list_spec(const std::string& value);

// An output, with options (sink/spec.h).
[[nodiscard]] std::string check_output_spec(const std::string& value);

// "KEY=VALUE" with a key.
[[nodiscard]] std::string check_assignment(const std::string& value);

// A DNS port, 1 to 65535, in decimal.
[[nodiscard]] std::string check_port(const std::string& value);

// "90s", "30m", "24h", "7d" or "2w"; duration_of reads what this lets through.
[[nodiscard]] std::string check_duration(const std::string& value);
[[nodiscard]] std::chrono::seconds duration_of(const std::string& value);

// "http://HOST…" or "https://HOST…".
[[nodiscard]] std::string check_http_url(const std::string& value);

// A search suffix, "auto" or "none".
[[nodiscard]] std::string check_search_suffix(const std::string& value);

}  // namespace nslookout::cli
