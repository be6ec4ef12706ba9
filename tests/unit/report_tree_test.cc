// report/tree.h and report/page.h: processes under those that started them, what each asked, and a page that holds hostile
// text as text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/page.h"
#include "report/tree.h"
#include "tests/unit/event_samples.h"

namespace nslookout::report {
namespace {

using event::Event;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

WallTime at(std::int64_t seconds) { return WallTime{std::chrono::seconds{seconds}}; }

event::Process process(std::uint32_t pid, const std::string& executable, std::int64_t started = 0) {
  event::Process process;
  process.pid = pid;
  process.executable = executable;
  process.start_time = at(started);
  return process;
}

Event asked(const std::string& name, event::Process by, std::int64_t when = 10) {
  Event event = event::small_event(name);
  event.kind = event::Kind::query;
  event.time = at(when);
  event.dns->record_type = "A";
  event.process = std::move(by);
  return event;
}

// "pid executable < parent's pid", in the tree's order
std::vector<std::string> outline(const Tree& tree) {
  std::vector<std::string> lines;
  for (const TreeProcess& node : tree.processes()) {
    const auto pid = [&](std::size_t place) { return std::to_string(tree.processes()[place].process.pid); };
    lines.push_back(std::to_string(node.process.pid) + " " + node.process.executable +
                    (node.parent ? " < " + pid(*node.parent) : ""));
  }
  return lines;
}

TEST(ReportTree, AncestorsAreProcessesOnce) {
  event::Process curl = process(30, "/usr/bin/curl");
  curl.ancestors = {process(20, "/bin/sh"), process(1, "/sbin/init")};
  event::Process dig = process(31, "/usr/bin/dig");
  dig.ancestors = curl.ancestors;
  event::Process shell = process(20, "/bin/sh");
  shell.ancestors = {process(1, "/sbin/init")};
  Tree tree;
  tree.add(asked("a.example", curl), WallTime::min());
  tree.add(asked("b.example", dig), WallTime::min());
  tree.add(asked("c.example", shell), WallTime::min());
  EXPECT_THAT(outline(tree),
              ElementsAre("1 /sbin/init", "20 /bin/sh < 1", "30 /usr/bin/curl < 20", "31 /usr/bin/dig < 20"));
  EXPECT_EQ(tree.lookups()[2].process, 1U);
}

TEST(ReportTree, WhatMakesAProcessOne) {
  struct Case {
    const char* what;
    event::Process other;
    std::size_t processes;
  };
  const Case cases[] = {{"the same", process(5, "/bin/a"), 1},
                        {"a clock that was read again", process(5, "/bin/a", 0), 1},
                        {"a pid that was used again", process(5, "/bin/a", 60), 2},
                        {"another program, after exec", process(5, "/bin/b"), 2},
                        {"another pid", process(6, "/bin/a"), 2}};
  for (const Case& one : cases) {
    Tree tree;
    tree.add(asked("x.example", process(5, "/bin/a")), WallTime::min());
    Event second = asked("x.example", one.other);
    if (second.process->start_time) *second.process->start_time += std::chrono::milliseconds(3);
    tree.add(second, WallTime::min());
    EXPECT_EQ(tree.processes().size(), one.processes) << one.what;
    EXPECT_EQ(tree.lookups().size(), one.processes) << one.what;
  }
}

TEST(ReportTree, OneLookupForANameOfAProcess) {
  Tree tree;
  tree.add(asked("x.example", process(5, "/bin/a"), 10), WallTime::min());
  Event more = asked("x.example", process(5, "/bin/a"), 12);
  more.dns->record_type = "AAAA";
  more.rules.push_back({"id", "Title", "high", {}, {}, "", {}});
  more.action = event::Action::blocked;
  tree.add(more, WallTime::min());
  ASSERT_EQ(tree.lookups().size(), 1U);
  const TreeLookup& lookup = tree.lookups()[0];
  EXPECT_THAT(lookup.types, ElementsAre("A", "AAAA"));
  EXPECT_EQ(lookup.count, 2U);
  EXPECT_EQ(lookup.first, at(10));
  EXPECT_EQ(lookup.last, at(12));
  EXPECT_EQ(lookup.action, event::Action::blocked);
}

TEST(ReportTree, SinceLeavesOutWhatIsOlderAndCountsNoLoss) {
  Tree tree;
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
    Event event = asked("x" + std::to_string(sequence) + ".example", process(5, "/bin/a"), static_cast<int>(sequence));
    event.sequence = sequence;
    tree.add(event, at(3));
  }
  ASSERT_EQ(tree.lookups().size(), 1U);
  EXPECT_EQ(tree.lookups()[0].name, "x3.example");
  EXPECT_THAT(tree.losses(), IsEmpty());
}

TEST(ReportTree, ALookupOfAHistory) {
  inventory::Lookup lookup{.event = asked("x.example", process(5, "/bin/a"), 10),
                           .first = at(10),
                           .last = at(90),
                           .count = 7,
                           .rules = {},
                           .action = {}};
  Tree tree;
  tree.add(lookup);
  ASSERT_EQ(tree.lookups().size(), 1U);
  EXPECT_EQ(tree.lookups()[0].count, 7U);
  EXPECT_EQ(tree.lookups()[0].last, at(90));
}

TEST(ReportLosses, NumbersThatAreMissing) {
  struct Case {
    std::vector<std::uint64_t> sequences;
    bool from_first;
    std::vector<std::string> said;
  };
  const Case cases[] = {{{1, 2, 3}, true, {}},
                        {{1, 2, 5}, true, {"2 events of the sensor's are not in the file."}},
                        {{4, 5}, true, {"3 events of the sensor's are not in the file."}},
                        {{4, 5}, false, {}},
                        {{1, 2, 1, 2}, true, {}},
                        {{1, 2, 1, 3}, true, {"1 event of the sensor's are not in the file."}},
                        {{0, 0}, true, {}}};
  for (const Case& one : cases) {
    Losses losses(one.from_first);
    for (const std::uint64_t sequence : one.sequences) {
      Event event;
      event.sequence = sequence;
      losses.add(event);
    }
    EXPECT_EQ(losses.sentences(), one.said);
  }
}

TEST(ReportTimes, CountsStayWholeAndFew) {
  Times times;
  std::uint64_t sum = 0;
  for (std::int64_t second = 0; second < 5000; ++second) times.add(at(second * second), 2);
  for (const auto& [span, count] : times.counts()) sum += count;
  EXPECT_EQ(sum, 10'000U);
  EXPECT_LE(times.counts().size(), Times::max_spans);
}

TEST(ReportPage, HostileTextIsInTheDataAlone) {
  const std::string hostile = "</script><script>alert(1)</script><!-- @script@ \xff\x1b[31m";
  Event event = asked(hostile, process(5, hostile));
  event.process->command_line = {hostile};
  event.rules.push_back({hostile, hostile, hostile, {}, {}, hostile, {}});
  Tree tree;
  tree.add(event, WallTime::min());
  tree.add_gap(hostile);
  const std::string page = page_html(tree, {hostile, "1.0", at(0), {hostile}, ""});
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  const std::string opening = "<script type=\"application/json\" id=\"data\">";
  const std::size_t begin = page.find(opening) + opening.size();
  const auto data = nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  EXPECT_EQ(data["lookups"][0]["name"], "</script><script>alert(1)</script><!-- @script@ \\xff\\x1b[31m");
}

}  // namespace
}  // namespace nslookout::report
