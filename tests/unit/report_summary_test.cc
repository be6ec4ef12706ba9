// report/: what a summary says of a job, and that nothing in it is more than text, whatever names and arguments hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/job.h"
#include "report/summary.h"
#include "report/visible.h"
#include "tests/unit/event_samples.h"

namespace nslookout::report {
namespace {

using event::Action;
using event::Event;
using event::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// What an event is in these tests; an empty level: no rule matched.
struct Lookup {
  std::string name;
  std::string step = "install";
  std::string package = {};  // the name of an npm package
  std::string level = {};
  Action action = Action::audited;
  std::string type = "A";
  std::string program = "/usr/bin/curl";
  std::string title = "A rule";
};

Event event_of(const Lookup& lookup) {
  Event event = event::small_event(lookup.name);
  event.kind = lookup.level.empty() ? Kind::query : Kind::match;
  event.dns->record_type = lookup.type;
  event.process.emplace().executable = lookup.program;
  event.origin.emplace();
  if (!lookup.step.empty()) event.origin->ci.emplace().step = lookup.step;
  if (!lookup.package.empty())
    event.origin->package = event::Package{"npm", lookup.package, "1.2.3", "postinstall", ""};
  if (!lookup.level.empty()) {
    event.rules.push_back({"id-" + lookup.title, lookup.title, lookup.level, {}, {}, "rules/a.yml", {}});
    event.action = lookup.action;
  }
  return event;
}

Job job_of(const std::vector<Lookup>& lookups) {
  Job job;
  for (const Lookup& lookup : lookups) job.add(event_of(lookup));
  return job;
}

std::vector<std::string> names_of(const std::vector<const Asked*>& asked) {
  std::vector<std::string> names;
  for (const Asked* one : asked) names.push_back(one->name);
  return names;
}

TEST(ReportVisible, OneLineOfPrintableText) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"sfrclak.com", "sfrclak.com"},
      {"müller 例え", "müller 例え"},
      {"a\nb\r\tc", "a\\x0ab\\x0d\\x09c"},
      {"\x1b[31mred", "\\x1b[31mred"},
      {"\xff\xfe", "\\xff\\xfe"},
      {"\xe2\x80\xae"
       "cod.exe",
       "\\u{202E}cod.exe"},
      {"a\xe2\x80\x8b"
       "b",
       "a\\u{200B}b"},
      {"\xf3\xa0\x80\x81", "\\u{E0001}"},
      {"##[set-env name=PATH;]/tmp", "#\\x23[set-env name=PATH;]/tmp"},
      {"###vso[task.x]", "#\\x23#vso[task.x]"},
      {"#1", "#1"},
  };
  for (const auto& [text, shown] : cases) EXPECT_EQ(visible(text), shown);
  EXPECT_EQ(visible("äöü", 2), "äö…");
  EXPECT_EQ(visible("äö", 2), "äö");
}

TEST(ReportJob, LookupsOfOneStepPackageAndNameAreOneEntry) {
  const Job job = job_of({{"a.test"},
                          {.name = "a.test", .type = "AAAA", .program = "/usr/bin/node"},
                          {"a.test", "build"},
                          {"a.test", "install", "left-pad"}});
  const auto names = job.names();
  ASSERT_EQ(names.size(), 3);
  EXPECT_EQ(names[0]->lookups, 2);
  EXPECT_THAT(names[0]->types, ElementsAre("A", "AAAA"));
  EXPECT_THAT(names[0]->programs, ElementsAre("curl", "node"));
  EXPECT_EQ(names[1]->package, "npm left-pad 1.2.3 postinstall");
  EXPECT_EQ(names[2]->step, "build");
  EXPECT_EQ(job.totals().lookups, 4);
}

TEST(ReportJob, TheGravestComesFirst) {
  const Job job = job_of({{"quiet.test"},
                          {.name = "low.test", .level = "low"},
                          {.name = "critical.test", .level = "critical"},
                          {.name = "would.test", .level = "low", .action = Action::would_block},
                          {.name = "blocked.test", .level = "low", .action = Action::blocked}});
  EXPECT_THAT(names_of(job.matched()), ElementsAre("blocked.test", "would.test", "critical.test", "low.test"));
  const Totals totals = job.totals();
  EXPECT_EQ(headline(totals), "5 names, 5 lookups; 4 matched (critical), 1 blocked, 1 would be blocked");
}

TEST(ReportJob, ARuleWithoutALevelIsMedium) {
  Event event = event_of({.name = "a.test", .level = "x"});
  event.rules[0].level = "";
  Job job;
  job.add(event);
  EXPECT_EQ(job.totals().level, "medium");
}

TEST(ReportJob, WhatIsNoLookupOfItsOwn) {
  Job job;
  Event copy = event_of({"a.test"});
  copy.role = event::Role::forwarder;
  copy.duplicate_of = "the client's";
  Event response = event_of({"b.test"});
  response.kind = Kind::response;
  Event match_of_a_response = event_of({.name = "c.test", .level = "high"});
  match_of_a_response.kind = Kind::response;
  for (const Event& event : {copy, response, match_of_a_response}) job.add(event);
  EXPECT_THAT(names_of(job.names()), ElementsAre("c.test"));
  EXPECT_EQ(job.totals().lookups, 0);
  EXPECT_EQ(job.totals().matched, 1);
}

TEST(ReportJob, ANameIsTheOneThatWasAskedForBeforeItsSearchSuffix) {
  Event event = event_of({.name = "sfrclak.com.corp.test", .level = "high"});
  event.dns->expanded_from = "sfrclak.com";
  Job job;
  job.add(event);
  EXPECT_THAT(names_of(job.names()), ElementsAre("sfrclak.com"));
}

TEST(ReportJob, LossesAreSentences) {
  Job job;
  Event loss;
  loss.kind = Kind::loss;
  loss.sequence = 1;
  loss.losses = {{"ring_full", 12}, {"parse_failed", 0}};
  job.add(loss);
  Event later = event_of({"a.test"});
  later.sequence = 5;
  job.add(later);
  job.add_gap("The events break off.");
  EXPECT_THAT(job.losses(), ElementsAre("The events break off.", "The sensor lost 12 at the stage ring_full.",
                                        "3 events of the sensor's are not in the file."));
  EXPECT_THAT(summary_text(job), HasSubstr("\nlost: The sensor lost 12 at the stage ring_full.\n"));
  EXPECT_THAT(summary_markdown(job, 4096), HasSubstr("> **Lost:** The sensor lost 12"));
  EXPECT_THAT(summary_text(job_of({{"a.test"}})), HasSubstr("\nNothing was lost.\n"));
}

TEST(ReportSummary, Text) {
  const Job job =
      job_of({{.name = "registry.test", .type = "AAAA", .program = "/usr/bin/node"},
              {.name = "sfrclak.com", .package = "plain-crypto-js", .level = "high", .action = Action::blocked}});
  EXPECT_EQ(summary_text(job),
            "nslookout: 2 names, 2 lookups; 1 matched (high), 1 blocked\n"
            "Nothing was lost.\n"
            "\n"
            "Blocked and matched\n"
            "  blocked     high          sfrclak.com  (A, 1 lookup)\n"
            "                            by curl, package npm plain-crypto-js 1.2.3 postinstall, step install\n"
            "                            rule A rule\n"
            "\n"
            "Names by CI step and package\n"
            "  step install\n"
            "    of no package\n"
            "        1  registry.test  AAAA by node\n"
            "    package npm plain-crypto-js 1.2.3 postinstall\n"
            "        1  sfrclak.com  A by curl  <- blocked, high\n");
}

// Each in every place that comes from outside.
std::vector<std::string> hostile_texts() {
  return {"::error::forged",
          "a\n::set-output name=x::y",
          "a\r\n::stop-commands::t",
          "##[command]rm",
          "##vso[task.setvariable variable=PATH]x",
          "\x1b]0;title\x07\x1b[2J",
          "</code></td><script>alert(1)</script>",
          "<img src=x onerror=alert(1)>",
          "a | b | **c** `d` [e](https://f.test) ![g](h)",
          "```\n# heading",
          "www.evil.test https://evil.test me@evil.test @octocat #1 GH-1",
          "&lt;script&gt; &#60;",
          "\xe2\x80\xae"
          "txt.exe\xe2\x80\xa8",
          "\\| \\\\|",
          "%0A::error::x",
          "a,title=b:c"};
}

Job job_of_hostile(const std::string& text) {
  return job_of({{text, text, text, "high", Action::blocked, text, "/x/" + text, text}, {text, text, text, ""}});
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void expect_no_command(const std::string& line) {
  EXPECT_FALSE(line.substr(std::min(line.find_first_not_of(" \t"), line.size())).starts_with("::")) << line;
  EXPECT_THAT(line, Not(HasSubstr("##")));
  for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
  EXPECT_NE(static_cast<int>(line.find('\x7f') == std::string::npos), 0) << line;
}

TEST(ReportSummary, HostileTextIsTextInTheText) {
  const auto lines_of_harmless = lines_of(summary_text(job_of_hostile("x"))).size();
  for (const auto& text : hostile_texts()) {
    const auto lines = lines_of(summary_text(job_of_hostile(text)));
    EXPECT_EQ(lines.size(), lines_of_harmless) << text;
    for (const auto& line : lines) expect_no_command(line);
  }
}

// The page without its own markup: what is left may hold no character that GitHub Flavored Markdown or HTML reads.
TEST(ReportSummary, HostileTextIsTextInMarkdown) {
  const auto harmless = lines_of(summary_markdown(job_of_hostile("x"), 1U << 20));
  for (const auto& text : hostile_texts()) {
    const auto lines = lines_of(summary_markdown(job_of_hostile(text), 1U << 20));
    ASSERT_EQ(lines.size(), harmless.size()) << text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      for (const char markup : std::string("|<>`*_[]()!@#:\\$~.")) {
        const auto count = [markup](std::string line) {
          for (auto at = line.find("&#"); at != std::string::npos; at = line.find("&#"))
            line.erase(at, line.find(';', at) + 1 - at);
          return std::count(line.begin(), line.end(), markup);
        };
        EXPECT_EQ(count(lines[i]), count(harmless[i])) << markup << " in " << lines[i];
      }
      for (const char c : lines[i]) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    }
  }
}

TEST(ReportSummary, HostileTextIsTextInJsonAndSarif) {
  for (const auto& text : hostile_texts()) {
    const Job job = job_of_hostile(text);
    const std::string json = summary_json(job);
    EXPECT_EQ(lines_of(json).size(), 1) << text;
    EXPECT_THAT(json, Not(HasSubstr("##")));
    EXPECT_EQ(nlohmann::json::parse(json)["names"][0]["name"], text);
    EXPECT_EQ(nlohmann::json::parse(summary_sarif(job, "0"))["runs"][0]["results"][0]["level"], "error");
  }
}

TEST(ReportAnnotations, AreOneCommandEach) {
  for (const auto& text : hostile_texts()) {
    const auto lines = lines_of(github_annotations(job_of_hostile(text)));
    ASSERT_EQ(lines.size(), 1) << text;
    // The title is the only property: neither "," nor ":" of the text is one of the command's.
    const auto title = lines[0].substr(0, lines[0].find("::", 2));
    EXPECT_THAT(title, testing::StartsWith("::error title=nslookout%3A "));
    EXPECT_EQ(title.find_first_of(",:", 2), std::string::npos) << title;
    expect_no_command(lines[0].substr(title.size() + 2).insert(0, "x"));
  }
  EXPECT_EQ(github_annotations(job_of({{.name = "a%b.test", .level = "medium", .title = "50%, so: x"}})),
            "::warning title=nslookout%3A 50%25%2C so%3A x::a%25b.test was asked for by curl, step install (matched, "
            "medium)\n");
  EXPECT_EQ(github_annotations(job_of({{"a.test"}})), "");
}

TEST(ReportAnnotations, AreAsManyAsGitHubShows) {
  std::vector<Lookup> lookups;
  for (int i = 0; i < 10; ++i) lookups.push_back({.name = fmt::format("n{}.test", i), .level = "low"});
  EXPECT_EQ(lines_of(github_annotations(job_of(lookups))).size(), 10);
  EXPECT_THAT(github_annotations(job_of(lookups)), Not(HasSubstr("more matched")));
  for (int i = 0; i < 3; ++i) lookups.push_back({.name = fmt::format("m{}.test", i), .level = "high"});
  const auto lines = lines_of(github_annotations(job_of(lookups)));
  ASSERT_EQ(lines.size(), 10);
  EXPECT_THAT(lines[0], testing::StartsWith("::error "));
  EXPECT_EQ(lines[9], "::notice title=nslookout::4 names more matched; the summary of the job has them all");
}

TEST(ReportSummary, MarkdownStaysWithinItsBoundAndSaysWhatIsLeftOut) {
  std::vector<Lookup> lookups;
  for (int i = 0; i < 3000; ++i) lookups.push_back({.name = fmt::format("n{:04}.test", i)});
  lookups.push_back({.name = "z-matched.test", .level = "high"});
  const Job job = job_of(lookups);
  for (const std::size_t bound : {std::size_t{4096}, std::size_t{100'000}, github_summary_octets}) {
    const std::string page = summary_markdown(job, bound);
    EXPECT_LE(page.size(), bound);
    EXPECT_THAT(page, HasSubstr("z-matched&#46;test"));
    if (bound < github_summary_octets) {
      EXPECT_THAT(page, HasSubstr("**Left out for want of room:** 0 rows of matched names"));
    }
  }
  EXPECT_THAT(summary_markdown(job, github_summary_octets), Not(HasSubstr("Left out")));
}

}  // namespace
}  // namespace nslookout::report
