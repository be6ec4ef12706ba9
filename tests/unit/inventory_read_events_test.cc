#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "event/codec.h"
#include "event_samples.h"
#include "inventory/read_events.h"
#include "sink/frame.h"

namespace nslookout::inventory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  std::vector<std::string> names;
  Result<ReadOutcome> outcome;
};

Read read(const std::string& octets) {
  const Fd fd(::memfd_create("events", MFD_CLOEXEC));
  EXPECT_EQ(::write(fd.get(), octets.data(), octets.size()), static_cast<ssize_t>(octets.size()));
  ::lseek(fd.get(), 0, SEEK_SET);
  Read read;
  read.outcome = read_events(fd.get(), "events", [&](const event::Event& event) -> Result<void> {
    read.names.push_back(event.dns->query);
    return {};
  });
  return read;
}

std::string record(const std::string& name, sink::Encoding encoding) {
  return sink::encode_record(event::small_event(name), encoding).value();
}
std::string line(const std::string& name) { return record(name, sink::Encoding::json_lines); }
std::string frame(const std::string& name) { return record(name, sink::Encoding::protobuf); }

TEST(ReadEvents, JsonLinesAndProtobufAreToldApart) {
  EXPECT_THAT(read(line("a.test") + line("b.test")).names, ElementsAre("a.test", "b.test"));
  EXPECT_THAT(read(frame("a.test") + frame("b.test")).names, ElementsAre("a.test", "b.test"));
  EXPECT_THAT(read("\xEF\xBB\xBF" + line("a.test")).names, ElementsAre("a.test"));
  EXPECT_THAT(read("\n \r\n" + line("a.test") + "\n").names, ElementsAre("a.test"));
}

// The length of such a message is the octet '{'.
TEST(ReadEvents, AMessageWhoseLengthLooksLikeJsonIsProtobuf) {
  std::string octets;
  for (std::size_t size = 1; octets.empty() || octets[0] != '{'; ++size) {
    ASSERT_LT(size, 200U);
    octets = frame(std::string(size, 'x'));
  }
  EXPECT_EQ(read(octets).names.size(), 1U);
}

TEST(ReadEvents, AnEventIsTheSameFromEitherForm) {
  const event::Event event = event::full_event();
  for (const sink::Encoding encoding : {sink::Encoding::json_lines, sink::Encoding::protobuf}) {
    const std::string octets = sink::encode_record(event, encoding).value();
    const Fd fd(::memfd_create("events", MFD_CLOEXEC));
    ASSERT_EQ(::write(fd.get(), octets.data(), octets.size()), static_cast<ssize_t>(octets.size()));
    ::lseek(fd.get(), 0, SEEK_SET);
    std::string back;
    ASSERT_TRUE(read_events(fd.get(), "events", [&](const event::Event& read) -> Result<void> {
      back = event::to_protobuf(read).value();
      return {};
    }));
    EXPECT_EQ(back, event::to_protobuf(event).value());
  }
}

TEST(ReadEvents, BadLinesAreCountedAndTheFirstIsNamed) {
  const Read read_back = read(line("a.test") + "{}\n" + "no json\n" + "[]\n" + line("b.test"));
  ASSERT_TRUE(read_back.outcome);
  EXPECT_THAT(read_back.names, ElementsAre("a.test", "b.test"));
  EXPECT_EQ(read_back.outcome->events, 2U);
  EXPECT_EQ(read_back.outcome->bad, 3U);
  EXPECT_THAT(read_back.outcome->first_bad->message, HasSubstr("events:2: "));
}

TEST(ReadEvents, TheLastLineNeedsNoNewlineAndACutOneIsBad) {
  const std::string whole = line("a.test");
  EXPECT_THAT(read(whole + whole.substr(0, whole.size() - 1)).names, ElementsAre("a.test", "a.test"));
  const Read cut = read(whole + whole.substr(0, 20));
  EXPECT_THAT(cut.names, ElementsAre("a.test"));
  EXPECT_EQ(cut.outcome->bad, 1U);
}

TEST(ReadEvents, AnOverlongLineIsOneBadLine) {
  const Read read_back = read(line("a.test") + std::string(max_line_octets * 2, 'x') + "\n" + line("b.test"));
  EXPECT_THAT(read_back.names, ElementsAre("a.test", "b.test"));
  EXPECT_EQ(read_back.outcome->bad, 1U);
  EXPECT_THAT(read_back.outcome->first_bad->message, HasSubstr("events:2: "));
}

TEST(ReadEvents, DamagedProtobufKeepsWhatCameBefore) {
  const std::string whole = frame("a.test");
  const Read read_back = read(whole + whole.substr(0, whole.size() - 3));
  ASSERT_TRUE(read_back.outcome);
  EXPECT_THAT(read_back.names, ElementsAre("a.test"));
  EXPECT_EQ(read_back.outcome->bad, 1U);
  EXPECT_THAT(read_back.outcome->first_bad->message, HasSubstr("offset"));
}

TEST(ReadEvents, AnEmptyFileHasNoEventsAndAFileOfSomethingElseIsRefused) {
  const Read empty = read("");
  ASSERT_TRUE(empty.outcome);
  EXPECT_THAT(empty.names, IsEmpty());
  for (const std::string& octets : {std::string("hello\n"), std::string("\x05\x08\x07\x07\x07\x07", 6),
                                    std::string(100, '\0'), std::string(64, '['), std::string(100'000, '[')}) {
    const Read other = read(octets);
    ASSERT_FALSE(other.outcome) << octets.substr(0, 10);
    EXPECT_EQ(other.outcome.error().kind, ErrorClass::invalid);
  }
  const auto missing = read_events("/nonexistent/file", [](const event::Event&) { return Result<void>{}; });
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorClass::runtime);
}

TEST(ReadEvents, TheVisitorsErrorEndsTheReading) {
  for (const std::string& octets : {line("a.test") + line("b.test"), frame("a.test") + frame("b.test")}) {
    const Fd fd(::memfd_create("events", MFD_CLOEXEC));
    ASSERT_EQ(::write(fd.get(), octets.data(), octets.size()), static_cast<ssize_t>(octets.size()));
    ::lseek(fd.get(), 0, SEEK_SET);
    int seen = 0;
    const auto outcome = read_events(fd.get(), "events", [&](const event::Event&) -> Result<void> {
      ++seen;
      return fail(ErrorClass::runtime, "enough");
    });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message, "enough");
    EXPECT_EQ(seen, 1);
  }
}

}  // namespace
}  // namespace nslookout::inventory
