#include "match/numbers.h"

#include <charconv>
#include <chrono>
#include <cmath>

namespace nslookout::match {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  std::optional<sys_seconds> read() {
    const auto year = digits(4);
    const auto month = literal('-') ? digits(2) : std::nullopt;
    const auto day = literal('-') ? digits(2) : std::nullopt;
    if (!year || !month || !day || (!literal('T') && !literal(' '))) return std::nullopt;
    const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day)));
    const auto clock = read_clock();
    if (!date.ok() || !clock) return std::nullopt;
    const auto offset = read_offset();
    if (!offset || !rest_.empty()) return std::nullopt;
    return sys_days(date) + *clock - *offset;
  }

 private:
  bool literal(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<int> digits(std::size_t count) {
    int value = 0;
    if (rest_.size() < count || rest_.substr(0, count).find_first_not_of("0123456789") != std::string_view::npos) {
      return std::nullopt;
    }
    std::from_chars(rest_.data(), rest_.data() + count, value);
    rest_.remove_prefix(count);
    return value;
  }

  std::optional<seconds> read_clock() {
    const auto hour = digits(2);
    const auto minute = literal(':') ? digits(2) : std::nullopt;
    if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
    int second = 0;
    if (literal(':')) {
      const auto read = digits(2);
      if (!read || *read > 60) return std::nullopt;
      second = *read;
      if (literal('.')) rest_.remove_prefix(std::min(rest_.find_first_not_of("0123456789"), rest_.size()));
    }
    return hours(*hour) + minutes(*minute) + seconds(second);
  }

  std::optional<minutes> read_offset() {
    if (rest_.empty() || literal('Z') || literal('z')) return minutes(0);
    const bool west = literal('-');
    if (!west && !literal('+')) return std::nullopt;
    const auto hour = digits(2);
    literal(':');
    const auto minute = digits(2);
    if (!hour || !minute) return std::nullopt;
    const minutes offset = hours(*hour) + minutes(*minute);
    return west ? -offset : offset;
  }

  std::string_view rest_;
};

std::optional<sys_seconds> time_in(std::string_view text) {
  if (const auto number = number_in(text)) {
    if (!std::isfinite(*number) || std::abs(*number) > 1e11) return std::nullopt;
    return sys_seconds(seconds(static_cast<std::int64_t>(std::floor(*number))));
  }
  return TimeReader(text).read();
}

// The week of the year to which its Thursday belongs.
double iso_week(sys_days day) {
  const std::chrono::weekday weekday(day);
  const sys_days thursday = day - days(weekday.iso_encoding() - 1) + days(3);
  const std::chrono::year_month_day date(thursday);
  const sys_days january_first(date.year() / std::chrono::January / 1);
  const auto full_weeks = (thursday - january_first).count() / 7;
  return static_cast<double>(full_weeks + 1);
}

}  // namespace

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::chrono::seconds> seconds_in(std::string_view text) {
  const std::optional<sys_seconds> time = time_in(text);
  if (!time) return std::nullopt;
  return time->time_since_epoch();
}

std::optional<double> time_part_in(std::string_view text, sigma::NumberOf part) {
  const std::optional<sys_seconds> time = time_in(text);
  if (!time) return std::nullopt;
  const auto day = std::chrono::floor<days>(*time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(*time - day);
  switch (part) {
    case sigma::NumberOf::minute:
      return static_cast<double>(clock.minutes().count());
    case sigma::NumberOf::hour:
      return static_cast<double>(clock.hours().count());
    case sigma::NumberOf::day:
      return static_cast<double>(static_cast<unsigned>(date.day()));
    case sigma::NumberOf::week:
      return iso_week(day);
    case sigma::NumberOf::month:
      return static_cast<double>(static_cast<unsigned>(date.month()));
    case sigma::NumberOf::year:
      return static_cast<double>(static_cast<int>(date.year()));
    case sigma::NumberOf::value:
      break;
  }
  return std::nullopt;
}

bool in_order(double value, sigma::Order order, double limit) {
  switch (order) {
    case sigma::Order::equal:
      return value == limit;
    case sigma::Order::greater:
      return value > limit;
    case sigma::Order::greater_or_equal:
      return value >= limit;
    case sigma::Order::less:
      return value < limit;
    case sigma::Order::less_or_equal:
      return value <= limit;
  }
  return false;
}

}  // namespace nslookout::match
