// report/allow_list.h: what is proposed, what is left out, and that a comment stays one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "report/allow_list.h"
#include "tests/unit/event_samples.h"

namespace nslookout::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

void ask(AllowList& list, const std::string& name, const std::string& program = "/usr/bin/curl", bool matched = false) {
  event::Event event = event::small_event(name);
  event.kind = matched ? event::Kind::match : event::Kind::query;
  event.process.emplace().executable = program;
  if (matched) event.rules.push_back({"id", "Title", "high", {}, {}, "", {}});
  list.add(event);
}

std::vector<std::string> lines(const std::string& text, bool comments) {
  std::vector<std::string> some;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.starts_with("#") == comments) some.push_back(line);
  }
  return some;
}

TEST(ReportAllowList, NamesByRegistrableDomain) {
  AllowList list;
  for (const char* name : {"b.example.org", "registry.npmjs.org", "a.example.org", "a.example.org", "localhost"}) {
    ask(list, name);
  }
  const std::string text = list.text(10);
  EXPECT_THAT(lines(text, false), ElementsAre("a.example.org", "b.example.org", "localhost", "registry.npmjs.org"));
  EXPECT_THAT(text, HasSubstr("\n# example.org: curl\na.example.org\nb.example.org\n"));
}

TEST(ReportAllowList, ManyNamesOfADomainBecomeOne) {
  AllowList list;
  for (const char* name : {"a.cdn.example", "b.cdn.example", "c.cdn.example", "a.other.example"}) ask(list, name);
  const std::vector<std::string> whole = {"a.cdn.example", "a.other.example", "b.cdn.example", "c.cdn.example"};
  EXPECT_THAT(lines(list.text(3), false), UnorderedElementsAre("*.cdn.example", "cdn.example", "a.other.example"));
  EXPECT_THAT(lines(list.text(4), false), testing::UnorderedElementsAreArray(whole));
  EXPECT_THAT(lines(list.text(0), false), testing::UnorderedElementsAreArray(whole));
}

TEST(ReportAllowList, WhatMatchedIsLeftOutAndNeverCovered) {
  AllowList list;
  for (const char* name : {"a.cdn.example", "b.cdn.example", "c.cdn.example"}) ask(list, name);
  ask(list, "evil.cdn.example", "/usr/bin/node", true);
  ask(list, "evil.cdn.example");
  const std::string text = list.text(3);
  EXPECT_THAT(lines(text, false), ElementsAre("a.cdn.example", "b.cdn.example", "c.cdn.example"));
  EXPECT_THAT(text, HasSubstr("# Left out, a rule or list matched them:\n#   evil.cdn.example\n"));
}

TEST(ReportAllowList, HostileTextStaysInComments) {
  AllowList list;
  ask(list, "a.example.org", "/tmp/x\nevil.example\n*.com");
  ask(list, "b\\010evil.example", "/usr/bin/curl");
  ask(list, "*.com");
  ask(list, "b\nevil.example");
  const std::string text = list.text(2);
  EXPECT_THAT(lines(text, false), ElementsAre("a.example.org"));
  EXPECT_THAT(text, HasSubstr("#   *.com\n"));
}

TEST(ReportAllowList, OfNothing) { EXPECT_THAT(lines(AllowList().text(10), false), IsEmpty()); }

}  // namespace
}  // namespace nslookout::report
