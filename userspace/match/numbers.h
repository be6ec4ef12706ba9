// Numbers in the values of an event: a value that is one as a whole, and the parts of a time. Pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "sigma/ast.h"

namespace nslookout::match {

// In decimal, with fraction and exponent; nothing for any other text.
[[nodiscard]] std::optional<double> number_in(std::string_view text);

// The time that text says, in the forms of time_part_in, since 1970.
[[nodiscard]] std::optional<std::chrono::seconds> seconds_in(std::string_view text);

// A part of the time that text says: "2026-03-31T12:34:56.789Z" (the T may be a blank; without Z or an offset it is UTC;
// seconds may be missing), or seconds since 1970. UTC; weeks are those of ISO 8601.
[[nodiscard]] std::optional<double> time_part_in(std::string_view text, sigma::NumberOf part);

[[nodiscard]] bool in_order(double value, sigma::Order order, double limit);

}  // namespace nslookout::match
