#include "top/screen.h"

#include <unistr.h>
#include <uniwidth.h>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "report/visible.h"

namespace nslookout::top {
namespace {

constexpr std::size_t around = 4;        // lines that are no rows: head, message, titles, keys
constexpr std::size_t most_shown = 400;  // characters of a text: no terminal is wider, and marks have no width
constexpr std::size_t filter_octets = 200;

struct OrderKey {
  char key;
  Order order;
  const char* name;
};
constexpr std::array<OrderKey, 6> orders = {{{'r', Order::rate, "rate"},
                                             {'c', Order::count, "count"},
                                             {'m', Order::matched, "matched"},
                                             {'b', Order::blocked, "blocked"},
                                             {'l', Order::last, "last"},
                                             {'a', Order::text, "alphabet"}}};

constexpr std::array<std::pair<const char*, const char*>, 11> key_list = {{
    {"q", "quit"},
    {"t n Tab", "by process, by name, the other one"},
    {"r c", "most a second first, most lookups first"},
    {"m b", "most matches first, most blocked first"},
    {"l a", "last seen first, by alphabet"},
    {"", "the same key again turns the order round"},
    {"/", "filter: Enter keeps it, Esc takes it away"},
    {"Esc", "no filter, from the top"},
    {"j k arrows", "a row down or up; PgDn PgUp Home End"},
    {"p", "pause what is shown"},
    {"?", "these keys"},
}};

std::string bold(const std::string& text) { return "\x1b[1m" + text + "\x1b[0m"; }
std::string reverse(const std::string& text) { return "\x1b[7m" + text + "\x1b[0m"; }

void choose_order(State& state, Order order) {
  state.shown.reversed = state.shown.order == order && !state.shown.reversed;
  state.shown.order = order;
  state.first = 0;
}

void type(State& state, std::string_view key) {
  std::string& filter = state.shown.filter;
  state.first = 0;
  if (key == "\r" || key == "\n") {
    state.typing = false;
  } else if (key == "\x1b") {
    state.typing = false;
    filter.clear();
  } else if (key == "\x7f" || key == "\b") {
    while (!filter.empty() && !begins_code_point(filter.back())) filter.pop_back();
    if (!filter.empty()) filter.pop_back();
  } else if (key == "\x15") {  // Ctrl-U
    filter.clear();
  } else if (static_cast<unsigned char>(key[0]) >= 0x20 && filter.size() + key.size() <= filter_octets) {
    filter += key;
  }
}

void scroll(State& state, std::ptrdiff_t by) {
  const auto first = static_cast<std::ptrdiff_t>(state.first) + by;
  state.first = static_cast<std::size_t>(std::max<std::ptrdiff_t>(first, 0));
}

bool scrolled(State& state, std::string_view key, std::size_t page) {
  const auto whole = static_cast<std::ptrdiff_t>(page);
  constexpr std::ptrdiff_t end = max_rows;  // render() takes back what is too much
  const std::array<std::pair<std::string_view, std::ptrdiff_t>, 14> steps = {{{"j", 1},
                                                                              {"k", -1},
                                                                              {"\x1b[B", 1},
                                                                              {"\x1b[A", -1},
                                                                              {"\x1bOB", 1},
                                                                              {"\x1bOA", -1},
                                                                              {"\x1b[6~", whole},
                                                                              {"\x1b[5~", -whole},
                                                                              {"\x1b[F", end},
                                                                              {"\x1b[H", -end},
                                                                              {"\x1b[4~", end},
                                                                              {"\x1b[1~", -end},
                                                                              {"\x1bOF", end},
                                                                              {"\x1bOH", -end}}};
  for (const auto& [text, by] : steps) {
    if (key != text) continue;
    scroll(state, by);
    return true;
  }
  return false;
}

void command(State& state, std::string_view key, std::size_t page) {
  if (scrolled(state, key, page) || key.empty()) return;
  if (key == "\x1b") {
    state.shown.filter.clear();
    state.first = 0;
    return;
  }
  const auto order = std::ranges::find(orders, key[0], &OrderKey::key);
  if (key.size() == 1 && order != orders.end()) return choose_order(state, order->order);
  const auto show = [&](View view) {
    state.shown.view = view;
    state.first = 0;
  };
  if (key == "t") show(View::processes);
  if (key == "n") show(View::names);
  if (key == "\t") show(state.shown.view == View::names ? View::processes : View::names);
  if (key == "/") state.typing = true;
  if (key == "p") state.paused = !state.paused;
  if (key == "?" || key == "h") state.keys = true;
}

// One key off the octets: a sequence (ESC [ … final, ESC O x), a character of UTF-8, or an octet.
std::string_view take_key(std::string_view& octets) {
  std::size_t length = 1;
  const auto first = static_cast<unsigned char>(octets[0]);
  if (octets.size() > 2 && first == 0x1b && octets[1] == '[') {
    length = 2;
    while (length < octets.size() && (octets[length] < '@' || octets[length] > '~')) ++length;
    ++length;
  } else if (octets.size() > 2 && first == 0x1b && octets[1] == 'O') {
    length = 3;
  } else if (first >= 0xC0) {
    length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  }
  length = std::min(length, octets.size());
  const std::string_view key = octets.substr(0, length);
  octets.remove_prefix(length);
  return key;
}

struct Columns {
  std::size_t what, other, place;
};

// The numbers and the blanks between them.
constexpr std::size_t numbers_width = 28;

Columns columns_of(std::size_t width) {
  const std::size_t left = width > numbers_width + 6 ? width - numbers_width - 2 : 4;
  const std::size_t what = left * 2 / 5;
  const std::size_t other = left * 7 / 20;
  return {what, other, left - what - other};
}

std::string number(std::uint64_t value) {
  if (value < 1'000'000) return std::to_string(value);
  if (value < 1'000'000'000) return fmt::format("{:.1f}M", static_cast<double>(value) / 1e6);
  return fmt::format("{:.1f}G", static_cast<double>(value) / 1e9);
}

std::string row_line(const Row& row, const Columns& columns, const Look& look, std::int64_t now) {
  const std::string line =
      fmt::format("{:>6.1f} {:>7} {:>5} {:>5}  {} {} {}", row.rate.at(now), number(row.count),
                  row.matched > 0 ? number(row.matched) : "-", row.blocked > 0 ? number(row.blocked) : "-",
                  fitted(row.what, columns.what, look.utf8), fitted(row.other, columns.other, look.utf8),
                  fitted(row.place, columns.place, look.utf8));
  std::string whole = fitted(line, look.width, look.utf8);
  if (row.matched == 0) return whole;
  const char* colour = row.blocked > 0 ? "\x1b[1;31m" : "\x1b[1;33m";
  return look.colour ? colour + whole + "\x1b[0m" : bold(whole);
}

std::string head_line(const Table& table, const State& state, const Look& look, std::int64_t now) {
  const Row& totals = table.totals();
  std::string text = fmt::format("nslookout top  {:.1f}/s  {} lookups  {} matched  {} blocked", totals.rate.at(now),
                                 totals.count, totals.matched, totals.blocked);
  if (table.lost() > 0) text += fmt::format("  {} lost", table.lost());
  text += (state.paused ? "  paused  " : "  ") + state.source;
  return bold(fitted(text, look.width, look.utf8));
}

std::string message_line(const State& state, const Look& look) {
  if (state.typing) return fitted("Filter: " + state.shown.filter + "_", look.width, look.utf8);
  if (!state.shown.filter.empty()) {
    return fitted("Filter: " + state.shown.filter + " (Esc takes it away)", look.width, look.utf8);
  }
  return fitted(state.message, look.width, look.utf8);
}

std::string title_line(const State& state, const Columns& columns, const Look& look) {
  const bool processes = state.shown.view == View::processes;
  const std::string line = fmt::format("{:>6} {:>7} {:>5} {:>5}  {} {} {}", "/S", "LOOKUPS", "MATCH", "BLOCK",
                                       fitted(processes ? "PROCESS" : "NAME", columns.what, look.utf8),
                                       fitted(processes ? "LAST NAME" : "LAST PROCESS", columns.other, look.utf8),
                                       fitted("PACKAGE, CONTAINER, STEP", columns.place, look.utf8));
  return reverse(fitted(line, look.width, look.utf8));
}

std::string foot_line(const State& state, const Look& look) {
  const auto* order = std::ranges::find(orders, state.shown.order, &OrderKey::order);
  return fitted(fmt::format("q quit  ? keys  / filter  t process  n name  sort by r c m b l a: {}{}", order->name,
                            state.shown.reversed ? ", reversed" : ""),
                look.width, look.utf8);
}

std::vector<std::string> key_lines(const Look& look) {
  std::vector<std::string> lines = {bold(fitted("Keys", look.width, look.utf8)), fitted("", look.width, look.utf8)};
  for (const auto& [key, text] : key_list) {
    lines.push_back(fitted(fmt::format("  {:<12} {}", key, text), look.width, look.utf8));
  }
  lines.push_back(fitted("", look.width, look.utf8));
  lines.push_back(fitted("Any key goes back.", look.width, look.utf8));
  return lines;
}

}  // namespace

std::string fitted(std::string_view text, std::size_t columns, bool utf8) {
  const std::string plain = report::visible(text, most_shown);
  std::string shown;
  std::size_t used = 0;
  const auto* at = reinterpret_cast<const std::uint8_t*>(plain.data());
  const auto* const end = at + plain.size();
  while (at < end) {
    ucs4_t point = 0;
    const int length = u8_mbtouc(&point, at, static_cast<std::size_t>(end - at));
    const bool ascii = point < 0x80;
    const std::size_t width = ascii || !utf8 ? 1 : static_cast<std::size_t>(std::max(uc_width(point, "UTF-8"), 0));
    if (used + width > columns) break;
    shown += ascii || utf8 ? std::string(reinterpret_cast<const char*>(at), static_cast<std::size_t>(length)) : "?";
    used += width;
    at += length;
  }
  if (at < end && columns > 0) {
    // The last column says that there is more.
    while (used > columns - 1) {
      const auto* const begin = reinterpret_cast<const std::uint8_t*>(shown.data());
      ucs4_t point = 0;
      const std::uint8_t* last = u8_prev(&point, begin + shown.size(), begin);
      used -= point < 0x80 || !utf8 ? 1U : static_cast<std::size_t>(std::max(uc_width(point, "UTF-8"), 0));
      shown.resize(static_cast<std::size_t>(last - begin));
    }
    shown += utf8 ? "…" : "~";
    ++used;
  }
  return shown.append(columns - used, ' ');
}

void press(State& state, std::string_view octets, std::size_t page) {
  while (!octets.empty()) {
    const std::string_view key = take_key(octets);
    // NOLINTNEXTLINE(bugprone-branch-clone): q ends it as Ctrl-C does, but not while a filter is typed
    if (key == "\x03") {
      state.quit = true;
    } else if (state.typing) {
      type(state, key);
    } else if (key == "q") {
      state.quit = true;
    } else if (state.keys) {
      state.keys = false;
    } else {
      command(state, key, page);
    }
  }
}

std::vector<std::string> render(const Table& table, State& state, const Look& look, std::int64_t now) {
  std::vector<std::string> lines;
  if (state.keys) {
    lines = key_lines(look);
  } else {
    const std::size_t room = look.height > around ? look.height - around : 0;
    const auto rows = table.rows(state.shown, now);
    state.first = std::min(state.first, rows.size() > room ? rows.size() - room : 0);
    const Columns columns = columns_of(look.width);
    lines = {head_line(table, state, look, now), message_line(state, look), title_line(state, columns, look)};
    for (std::size_t at = state.first; at < std::min(rows.size(), state.first + room); ++at) {
      lines.push_back(row_line(*rows[at], columns, look, now));
    }
    while (lines.size() + 1 < look.height) lines.push_back(fitted("", look.width, look.utf8));
    lines.push_back(foot_line(state, look));
  }
  lines.resize(look.height, fitted("", look.width, look.utf8));
  return lines;
}

}  // namespace nslookout::top
