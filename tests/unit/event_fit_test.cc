#include "event/fit.h"

#include <gtest/gtest.h>

#include <string>

#include "encode/format.h"
#include "event/codec.h"
#include "event_samples.h"

namespace nslookout::event {
namespace {

// LineMax= of journald.conf(5): what a service writes on one line beyond it begins another record.
constexpr std::size_t journald_line = 48U << 10;

Process process_with(const std::string& text) {
  Process process;
  process.comm = text.substr(0, 15);
  process.executable = "/" + text.substr(0, 4000) + "/end";
  process.cwd = process.executable;
  process.script = process.executable;
  process.command_line = {"program", text, text};
  return process;
}

TEST(EventFit, AnOrdinaryEventStaysAsItIs) {
  Event event = full_event();
  for (int i = 0; i < 20; ++i) event.process->ancestors.push_back(process_with("ordinary"));
  const std::string before = to_json_line(event);
  fit(event);
  EXPECT_EQ(to_json_line(event), before);
}

// Each kind of octet grows otherwise on its way to JSON.
class EventFitHostile : public testing::TestWithParam<std::string> {};

TEST_P(EventFitHostile, NoProcessMakesALineThatReadersCut) {
  std::string text;
  while (text.size() < 8000) text += GetParam();
  Event event = full_event();
  *event.process = process_with(text);
  for (int i = 0; i < 64; ++i) event.process->ancestors.push_back(process_with(text));
  event.origin->package->path = text;
  fit(event);
  EXPECT_LE(chosen_octets(event), max_chosen_octets);
  for (const auto format : {encode::Format::native, encode::Format::ecs, encode::Format::ocsf})
    EXPECT_LT(encode::to_line(event, format)->size(), journald_line) << static_cast<int>(format);
  const Process& process = *event.process;
  EXPECT_EQ(process.command_line.at(0), "program");
  EXPECT_TRUE(process.command_line_truncated);
  EXPECT_TRUE(process.executable_truncated);
  EXPECT_TRUE(process.executable.starts_with(cut_away));
  EXPECT_TRUE(process.executable.ends_with("/end"));
  ASSERT_FALSE(process.ancestors.empty()) << "the nearest stay";
  EXPECT_TRUE(process.ancestors_truncated);
  EXPECT_TRUE(process.ancestors.front().command_line_truncated);
}

INSTANTIATE_TEST_SUITE_P(Octets, EventFitHostile,
                         testing::Values("a", "\x1b", "\"", "\xff", "\xe2\x80\xae", "\xf0\x9f\x90\xb3", "\\", "<"));

TEST(EventFit, CutsNoCharacterInTwo) {
  Event event = full_event();
  std::string text;
  while (text.size() < 30000) text += "\xe2\x82\xac";
  event.process->command_line = {"x", text};
  fit(event);
  const std::string& cut = event.process->command_line.at(1);
  EXPECT_LT(cut.size(), text.size());
  EXPECT_EQ(cut.size() % 3, 0U);
}

TEST(EventFit, ManyArgumentsAreCutAtTheirEnd) {
  Event event = full_event();
  event.process->command_line.assign(9000, "");
  event.process->command_line.front() = "first";
  fit(event);
  EXPECT_EQ(event.process->command_line.front(), "first");
  EXPECT_LT(event.process->command_line.size(), 3000U);
  EXPECT_TRUE(event.process->command_line_truncated);
}

}  // namespace
}  // namespace nslookout::event
