#include "top/table.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "inventory/lookup.h"
#include "report/grouping.h"

namespace nslookout::top {
namespace {

std::int64_t second_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string process_text(const event::Process& process) {
  std::string text = fmt::format("{} {}", process.pid, report::program_name(process));
  for (std::size_t at = 1; at < process.command_line.size(); ++at) text += " " + process.command_line[at];
  return text;
}

std::string place_of(const event::Event& event) {
  std::string place = inventory::package_of(event);
  if (place.empty()) place = inventory::container_of(event);
  return place.empty() ? report::step_of(event) : place;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool contains(std::string_view text, std::string_view part) {
  return !std::ranges::search(text, part, {}, lower, lower).empty() || part.empty();
}

bool passes(const Row& row, const std::string& filter) {
  return contains(row.what, filter) || contains(row.other, filter) || contains(row.place, filter);
}

// What makes room: of the rows without a match the one that was seen the longest time ago, else of all.
auto oldest(std::map<std::string, Row>& rows) {
  return std::ranges::min_element(
      rows, {}, [](const auto& entry) { return std::pair(entry.second.matched > 0, entry.second.last); });
}

// Greater comes first.
bool comes_before(const Row& a, const Row& b, Order order, std::int64_t now) {
  switch (order) {
    case Order::rate:
      return std::pair(a.rate.at(now), a.count) > std::pair(b.rate.at(now), b.count);
    case Order::count:
      return a.count > b.count;
    case Order::matched:
      return std::pair(a.matched, a.count) > std::pair(b.matched, b.count);
    case Order::blocked:
      return std::pair(a.blocked, a.matched) > std::pair(b.blocked, b.matched);
    case Order::last:
      return a.last > b.last;
    case Order::text:
      return a.what < b.what;
  }
  return false;
}

}  // namespace

void Rate::add(std::int64_t second, std::uint64_t count) {
  if (second < 0 || second <= latest_ - seconds) return;
  for (std::int64_t fresh = std::max(latest_ + 1, second - seconds + 1); fresh <= second; ++fresh) {
    counts_[static_cast<std::size_t>(fresh % seconds)] = 0;
  }
  latest_ = std::max(latest_, second);
  counts_[static_cast<std::size_t>(second % seconds)] += static_cast<std::uint32_t>(count);
}

double Rate::at(std::int64_t now) const {
  std::uint64_t sum = 0;
  for (std::int64_t second = std::max(now - seconds + 1, latest_ - seconds + 1); second <= std::min(latest_, now);
       ++second) {
    if (second > 0) sum += counts_[static_cast<std::size_t>(second % seconds)];
  }
  return static_cast<double>(sum) / static_cast<double>(seconds);
}

void Table::add(const event::Event& event) {
  for (const event::Loss& loss : event.losses) lost_ += loss.count;
  if (!report::is_told(event)) return;
  const event::Process unknown;
  const event::Process& process = event.process ? *event.process : unknown;
  const std::string text = event.process ? process_text(process) : "not known";
  const std::string& name = report::asked_name(event);
  const std::string place = place_of(event);
  const std::int64_t start = process.start_time ? second_of(*process.start_time) : 0;
  const std::string key = fmt::format("{} {} {}", process.pid, start, process.executable);
  count(row_of(processes_, key, event, {.what = text, .other = name, .place = place, .last = {}, .rate = {}}), event);
  count(row_of(names_, name, event, {.what = name, .other = text, .place = place, .last = {}, .rate = {}}), event);
  count(totals_, event);
}

Row& Table::row_of(Rows& rows, const std::string& key, const event::Event& event, Row seen) {
  const auto found = rows.find(key);
  if (found == rows.end()) {
    if (rows.size() >= max_rows) rows.erase(oldest(rows));
    return rows.emplace(key, std::move(seen)).first->second;
  }
  Row& row = found->second;
  if (event.time >= row.last) {
    row.what = std::move(seen.what);
    row.other = std::move(seen.other);
    row.place = std::move(seen.place);
  }
  return row;
}

void Table::count(Row& row, const event::Event& event) {
  row.last = std::max(row.last, event.time);
  if (report::asks(event.kind)) {
    row.count += 1;
    row.rate.add(second_of(event.time));
  }
  if (!event.rules.empty()) row.matched += 1;
  if (event.action == event::Action::blocked) row.blocked += 1;
}

std::vector<const Row*> Table::rows(const Shown& shown, std::int64_t now) const {
  std::vector<const Row*> some;
  for (const auto& [key, row] : shown.view == View::processes ? processes_ : names_) {
    if (passes(row, shown.filter)) some.push_back(&row);
  }
  std::ranges::stable_sort(some, [&](const Row* a, const Row* b) { return comes_before(*a, *b, shown.order, now); });
  if (shown.reversed) std::ranges::reverse(some);
  return some;
}

}  // namespace nslookout::top
