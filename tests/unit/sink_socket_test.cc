#include <gtest/gtest.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "event_samples.h"
#include "sink/frame.h"
#include "sink/sink.h"
#include "sink_fixture.h"

namespace nslookout::sink {
namespace {

using event::small_event;
using Names = std::vector<std::string>;

Fd listen_on(const std::string& path, int type = SOCK_STREAM) {
  Fd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  if (type == SOCK_STREAM) {
    EXPECT_EQ(::listen(fd.get(), 4), 0);
  }
  return fd;
}

Fd accept_from(const Fd& listener) {
  pollfd waited{.fd = listener.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&waited, 1, 5000), 1);
  return Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

std::string read_to_end(const Fd& connection) {
  std::string seen;
  char block[65536];
  ssize_t got = 0;
  while ((got = ::read(connection.get(), block, sizeof block)) > 0) seen.append(block, static_cast<std::size_t>(got));
  return seen;
}

class SinkSocket : public SinkTest {};

TEST_F(SinkSocket, SendsJsonLinesUnlessToldOtherwise) {
  const Fd listener = listen_on(path("s"));
  auto sink = open_sink("unix:" + path("s"));
  ASSERT_TRUE(sink) << sink.error().message;
  const Fd connection = accept_from(listener);
  EXPECT_TRUE((*sink)->write(small_event("a.test")));
  EXPECT_TRUE((*sink)->write(small_event("b.test")));
  sink->reset();
  EXPECT_EQ(queries(read_to_end(connection)), (Names{"a.test", "b.test"}));
}

TEST_F(SinkSocket, SendsFramesWhenAsked) {
  const Fd listener = listen_on(path("s"));
  auto sink = open_sink("unix:" + path("s") + "?encoding=protobuf");
  ASSERT_TRUE(sink) << sink.error().message;
  const Fd connection = accept_from(listener);
  EXPECT_TRUE((*sink)->write(small_event("a.test")));
  sink->reset();
  Names names;
  const auto count = decode_stream(connection.get(), [&](const event::Event& event) -> Result<void> {
    names.push_back(event.dns->query);
    return {};
  });
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(names, Names{"a.test"});
}

TEST_F(SinkSocket, WithoutAReaderItDoesNotOpen) {
  const auto missing = open_sink("unix:" + path("none"));
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("no such socket; start its reader first"), std::string::npos);
  EXPECT_EQ(missing.error().kind, ErrorClass::runtime);

  listen_on(path("left")).reset();
  const auto refused = open_sink("unix:" + path("left"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("nobody listens on it"), std::string::npos) << refused.error().message;

  const Fd datagram = listen_on(path("dgram"), SOCK_DGRAM);
  const auto wrong = open_sink("unix:" + path("dgram"));
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("not a stream socket"), std::string::npos) << wrong.error().message;

  const auto file = open_sink("jsonl:" + path("dgram"));
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("it is a socket; use unix:"), std::string::npos) << file.error().message;
}

TEST_F(SinkSocket, ARestartedReaderGetsTheNextEvent) {
  const Fd listener = listen_on(path("s"));
  auto sink = open_sink("unix:" + path("s"));
  ASSERT_TRUE(sink);
  accept_from(listener).reset();
  EXPECT_TRUE((*sink)->write(small_event("a.test"))) << "on a new connection, at once";
  const Fd connection = accept_from(listener);
  sink->reset();
  EXPECT_EQ(queries(read_to_end(connection)), Names{"a.test"});
}

TEST_F(SinkSocket, WithTheReaderGoneEachEventIsAnErrorUntilItIsBack) {
  Fd listener = listen_on(path("s"));
  auto sink = open_sink("unix:" + path("s"));
  ASSERT_TRUE(sink);
  listener.reset();
  EXPECT_FALSE((*sink)->write(small_event("lost.test")));
  EXPECT_FALSE((*sink)->write(small_event("lost.test")));
  EXPECT_FALSE((*sink)->finished());
  std::filesystem::remove(path("s"));
  listener = listen_on(path("s"));
  EXPECT_TRUE((*sink)->write(small_event("a.test")));
}

TEST_F(SinkSocket, AStalledReaderNeverSeesTwoEventsGlued) {
  const Fd listener = listen_on(path("s"));
  auto sink = open_sink("unix:" + path("s"));
  ASSERT_TRUE(sink);
  const Fd first = accept_from(listener);
  const event::Event wide = small_event(std::string(50'000, 'x'));
  int accepted = 0;
  while (accepted < 1000 && (*sink)->write(wide)) ++accepted;
  ASSERT_LT(accepted, 1000) << "a socket's buffer cannot hold a thousand of these";
  // Nothing is read from the first connection: what comes now can only be on a second one, or fail again.
  const bool after = (*sink)->write(small_event("after.test")).has_value();
  sink->reset();
  const Names names = queries(read_to_end(first));
  EXPECT_EQ(std::count(names.begin(), names.end(), std::string(50'000, 'x')), accepted);
  EXPECT_LE(std::count(names.begin(), names.end(), "cut"), 1);
  if (std::count(names.begin(), names.end(), "cut") == 1) {
    EXPECT_EQ(names.back(), "cut");
    ASSERT_TRUE(after);
    EXPECT_EQ(queries(read_to_end(accept_from(listener))), Names{"after.test"});
  }
}

}  // namespace
}  // namespace nslookout::sink
