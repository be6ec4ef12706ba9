// top/: what is counted, in which order it is shown, and that a screen is as large as the terminal and holds no control
// character but its own, whatever names and arguments hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "tests/unit/event_samples.h"
#include "top/screen.h"
#include "top/table.h"

namespace nslookout::top {
namespace {

using event::Event;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t now = 1'774'915'200;

Event asked(const std::string& name, std::uint32_t pid, const std::string& program, bool blocked = false) {
  Event event = event::small_event(name);
  event.kind = blocked ? event::Kind::match : event::Kind::query;
  event.time = WallTime{std::chrono::seconds{now - 1}};
  event.process.emplace().pid = pid;
  event.process->executable = "/usr/bin/" + program;
  if (blocked) {
    event.rules.push_back({"id", "Title", "high", {}, {}, "", {}});
    event.action = event::Action::blocked;
  }
  return event;
}

// node asks twice for a registry, once for what is blocked; curl once for the registry.
Table sample() {
  Table table;
  table.add(asked("registry.example", 30, "node"));
  table.add(asked("registry.example", 30, "node"));
  table.add(asked("sfrclak.com", 30, "node", true));
  table.add(asked("registry.example", 31, "curl"));
  return table;
}

std::vector<std::string> texts(const Table& table, const Table::Shown& shown) {
  std::vector<std::string> texts;
  for (const Row* row : table.rows(shown, now)) texts.push_back(row->what + " " + std::to_string(row->count));
  return texts;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string without_sgr(const std::string& line) { return std::regex_replace(line, std::regex("\x1b\\[[0-9;]*m"), ""); }

TEST(TopTable, ByProcessAndByName) {
  const Table table = sample();
  EXPECT_THAT(texts(table, {.view = View::processes, .order = Order::count}), ElementsAre("30 node 3", "31 curl 1"));
  EXPECT_THAT(texts(table, {.view = View::names, .order = Order::count}),
              ElementsAre("registry.example 3", "sfrclak.com 1"));
  EXPECT_THAT(texts(table, {.view = View::names, .order = Order::blocked}),
              ElementsAre("sfrclak.com 1", "registry.example 3"));
  EXPECT_THAT(texts(table, {.view = View::names, .order = Order::text, .reversed = true}),
              ElementsAre("sfrclak.com 1", "registry.example 3"));
  EXPECT_THAT(texts(table, {.view = View::processes, .order = Order::count, .filter = "CURL"}),
              ElementsAre("31 curl 1"));
  EXPECT_EQ(table.totals().count, 4U);
  EXPECT_EQ(table.totals().blocked, 1U);
}

TEST(TopTable, RoomIsMadeByWhatDidNotMatch) {
  Table table;
  table.add(asked("sfrclak.com", 1, "node", true));
  for (std::size_t at = 0; at < max_rows + 100; ++at) table.add(asked("n" + std::to_string(at), 2, "make"));
  const auto rows = table.rows({.view = View::names, .order = Order::matched}, now);
  EXPECT_EQ(rows.size(), max_rows);
  EXPECT_EQ(rows[0]->what, "sfrclak.com");
}

TEST(TopRate, OfTheLastTenSeconds) {
  Rate rate;
  rate.add(100, 5);
  rate.add(103, 5);
  rate.add(90, 7);  // too old
  const std::vector<std::pair<std::int64_t, double>> cases = {
      {103, 1.0}, {109, 1.0}, {110, 0.5}, {113, 0.0}, {9999, 0.0}};
  for (const auto& [when, expected] : cases) EXPECT_DOUBLE_EQ(rate.at(when), expected) << when;
  rate.add(200, 3);
  EXPECT_DOUBLE_EQ(rate.at(200), 0.3);
}

TEST(TopScreen, TextInColumns) {
  struct Case {
    std::string text;
    std::size_t columns;
    bool utf8;
    std::string shown;
  };
  const Case cases[] = {{"abc", 5, true, "abc  "},          {"abcdef", 4, true, "abc…"}, {"abcdef", 4, false, "abc~"},
                        {"例え", 4, true, "例え"},          {"例えば", 4, true, "例… "}, {"例", 2, false, "? "},
                        {"a\x1b[2J", 8, true, "a\\x1b[2J"}, {"", 2, true, "  "},         {"abc", 0, true, ""}};
  for (const Case& one : cases) EXPECT_EQ(fitted(one.text, one.columns, one.utf8), one.shown);
}

TEST(TopScreen, IsAsLargeAsTheTerminal) {
  const Table table = sample();
  for (const auto& [width, height] : {std::pair{80, 24}, {200, 50}, {40, 10}, {10, 3}, {1, 1}}) {
    State state;
    const Look look{static_cast<std::size_t>(width), static_cast<std::size_t>(height), true, false};
    for (const bool keys : {false, true}) {
      state.keys = keys;
      const auto lines = render(table, state, look, now);
      ASSERT_EQ(lines.size(), look.height);
      for (const std::string& line : lines) EXPECT_EQ(without_sgr(line).size(), look.width) << line;
    }
  }
}

TEST(TopScreen, HostileTextSendsNothingToTheTerminal) {
  const std::string hostile =
      "\x1b]0;owned\x07\x1b[2J\r\n\x9b"
      "31m\xe2\x80\xae";
  Table table;
  Event event = asked(hostile, 1, hostile, true);
  event.process->command_line = {hostile, hostile};
  event.container.emplace().image = hostile;
  table.add(event);
  State state;
  state.source = hostile;
  state.message = hostile;
  state.shown.filter = "";
  const std::string screen = without_sgr(joined(render(table, state, {200, 10, true, true}, now)));
  for (const char* control : {"\x1b", "\x07", "\r", "\x9b", "\xe2\x80\xae"})
    EXPECT_THAT(screen, Not(HasSubstr(control)));
}

TEST(TopScreen, NoColourIsBoldAlone) {
  const Table table = sample();
  State state;
  const std::string plain = joined(render(table, state, {80, 24, false, true}, now));
  EXPECT_FALSE(std::regex_search(plain, std::regex("\x1b\\[[0-9;]*3[0-9]m")));
  const std::string coloured = joined(render(table, state, {80, 24, true, true}, now));
  EXPECT_THAT(coloured, HasSubstr("\x1b[1;31m"));
}

TEST(TopScreen, Keys) {
  struct Case {
    std::string typed;
    std::string what;  // of the state afterwards
  };
  const auto say = [](const State& state) {
    return std::string(state.shown.view == View::names ? "names" : "processes") +
           (state.shown.reversed ? " reversed" : "") + (state.shown.order == Order::count ? " count" : "") +
           (state.shown.filter.empty() ? "" : " /" + state.shown.filter) + (state.typing ? " typing" : "") +
           (state.first > 0 ? " at " + std::to_string(state.first) : "") + (state.quit ? " quit" : "");
  };
  const Case cases[] = {{"n", "names"},
                        {"nt", "processes"},
                        {"\t", "names"},
                        {"c", "processes count"},
                        {"cc", "processes reversed count"},
                        {"ccc", "processes count"},
                        {"/curl", "processes /curl typing"},
                        {"/quit\r", "processes /quit"},
                        {"/ab\x7f\r", "processes /a"},
                        {"/\xc3\xbc\x7f", "processes typing"},
                        {"/ab\x1b", "processes"},
                        {"/ab\rn", "names /ab"},
                        {"jj\x1b[B\x1b[Ak", "processes at 1"},
                        {"\x1b[6~", "processes at 20"},
                        {"\x1b[200~q", "processes quit"},
                        {"q", "processes quit"},
                        {"?q", "processes quit"},
                        {"?n", "processes"},
                        {"/\x03", "processes typing quit"}};
  for (const Case& one : cases) {
    State state;
    press(state, one.typed, 20);
    EXPECT_EQ(say(state), one.what) << one.typed;
  }
}

}  // namespace
}  // namespace nslookout::top
