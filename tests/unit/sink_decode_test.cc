#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/fd.h"
#include "event_samples.h"
#include "sink/frame.h"

namespace nslookout::sink {
namespace {

using Names = std::vector<std::string>;

struct Decoded {
  Names names;
  Result<std::uint64_t> count;
};

Decoded decode(const std::string& octets) {
  const Fd fd(::memfd_create("frames", MFD_CLOEXEC));
  EXPECT_EQ(::write(fd.get(), octets.data(), octets.size()), static_cast<ssize_t>(octets.size()));
  ::lseek(fd.get(), 0, SEEK_SET);
  Decoded decoded;
  decoded.count = decode_stream(fd.get(), [&](const event::Event& event) -> Result<void> {
    decoded.names.push_back(event.dns->query);
    return {};
  });
  return decoded;
}

std::string frame(const std::string& query) {
  return encode_record(event::small_event(query), Encoding::protobuf).value();
}

TEST(SinkDecode, AnEmptyStreamHasNoEvents) {
  const Decoded decoded = decode("");
  ASSERT_TRUE(decoded.count);
  EXPECT_EQ(*decoded.count, 0U);
}

TEST(SinkDecode, FramesOfEverySizeComeBackAcrossReadBlocks) {
  std::string octets;
  Names expected;
  for (std::size_t size = 1; size < 200'000; size = size * 3 + 1) {
    expected.emplace_back(size, 'x');
    octets += frame(expected.back());
  }
  const Decoded decoded = decode(octets);
  ASSERT_TRUE(decoded.count) << decoded.count.error().message;
  EXPECT_EQ(decoded.names, expected);
}

TEST(SinkDecode, ACutTailIsNamedWithItsOffsetAfterTheWholeOnes) {
  const std::string whole = frame("a.test");
  const std::string last = frame("b.test");
  for (std::size_t kept = 1; kept < last.size(); ++kept) {
    const Decoded decoded = decode(whole + last.substr(0, kept));
    ASSERT_FALSE(decoded.count) << kept;
    EXPECT_EQ(decoded.names, Names{"a.test"});
    const std::string expected = "offset " + std::to_string(whole.size()) + ": the last record is cut short after " +
                                 std::to_string(kept) + " octets; the 1 before it are whole";
    EXPECT_EQ(decoded.count.error().message, expected);
    EXPECT_EQ(decoded.count.error().kind, ErrorClass::invalid);
  }
}

struct BadStream {
  const char* name;
  std::string octets;
  const char* says;
};

TEST(SinkDecode, WhatIsNoEventStreamIsNamedWithItsOffset) {
  const BadStream cases[] = {
      {"json lines",
       "{\"schema_version\":1,\"event_id\":\"0000000000000000000000000000000000000000000000000000000000000000"
       "000000000000000000000000000000000000000000000000\"}\n",
       "are not an nslookout event"},
      {"zeros", std::string(100, '\0'), "a record of 0 octets"},
      {"huge length", "\xff\xff\xff\xff\x7f", "is this a protobuf stream of nslookout?"},
      {"length without end", std::string(11, '\xff'), "no length stands there"},
      {"length over 64 bits", std::string(10, '\x80') + "\x01", "no length stands there"},
  };
  const std::string whole = frame("a.test");
  for (const BadStream& bad : cases) {
    const Decoded decoded = decode(whole + bad.octets);
    ASSERT_FALSE(decoded.count) << bad.name;
    EXPECT_EQ(decoded.names, Names{"a.test"}) << bad.name;
    const std::string& message = decoded.count.error().message;
    EXPECT_NE(message.find(bad.says), std::string::npos) << bad.name << ": " << message;
    EXPECT_EQ(message.rfind("offset " + std::to_string(whole.size()) + ":", 0), 0U) << message;
  }
}

TEST(SinkDecode, ReadsAPipeThatGivesOneOctetAtATime) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_DIRECT), 0);  // packets: each read gives what one write gave
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const std::string octets = frame("a") + frame("b");
  ASSERT_EQ(::fcntl(writer.get(), F_SETPIPE_SZ, 1 << 20), 1 << 20);
  for (const char octet : octets) ASSERT_EQ(::write(writer.get(), &octet, 1), 1);
  writer.reset();
  Names names;
  const auto count = decode_stream(reader.get(), [&](const event::Event& event) -> Result<void> {
    names.push_back(event.dns->query);
    return {};
  });
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(names, (Names{"a", "b"}));
}

TEST(SinkDecode, TheHandlersErrorEndsTheReading) {
  const Fd fd(::memfd_create("frames", MFD_CLOEXEC));
  const std::string octets = frame("a") + frame("b");
  ASSERT_EQ(::write(fd.get(), octets.data(), octets.size()), static_cast<ssize_t>(octets.size()));
  ::lseek(fd.get(), 0, SEEK_SET);
  int calls = 0;
  const auto count = decode_stream(fd.get(), [&](const event::Event&) -> Result<void> {
    ++calls;
    return fail(ErrorClass::runtime, "full");
  });
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().message, "full");
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace nslookout::sink
