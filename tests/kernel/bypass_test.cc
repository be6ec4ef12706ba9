// Ways around the sensor, taken for real: each is told once, of the process that took it.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "child.h"
#include "harness.h"
#include "kernel/bypasses.h"
#include "network_namespace.h"

namespace nslookout::kernel_test {
namespace {

constexpr const char* listed = "127.0.0.2";  // on loopback, which is told of where it is listed
constexpr const char* listed6 = "::1";
constexpr const char* unlisted = "192.0.2.53";  // RFC 5737: nobody
constexpr const char* own = "192.0.2.54";

struct Destination {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

Destination to(const std::string& ip, std::uint16_t port) {
  Destination out;
  if (ip.find(':') == std::string::npos) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    ::inet_pton(AF_INET, ip.c_str(), &v4.sin_addr);
    out.length = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    ::inet_pton(AF_INET6, ip.c_str(), &v6.sin6_addr);
    out.length = sizeof v6;
  }
  return out;
}

// Nobody listens, and there may be no route: the hook comes before either is found out.
void connect_to(int type, const std::string& ip, std::uint16_t port) {
  const Destination there = to(ip, port);
  const Fd fd(::socket(there.storage.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  [[maybe_unused]] const int refused =
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&there.storage), there.length);
}

void send_to(const std::string& ip, std::uint16_t port) {
  const Destination there = to(ip, port);
  const Fd fd(::socket(there.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  [[maybe_unused]] const ssize_t refused =
      ::sendto(fd.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&there.storage), there.length);
}

std::string text_of(const nsl_bypass& bypass) {
  const std::string address = bypass.address.family == 0
                                  ? "-"
                                  : kernel::ip_address_of(bypass.address).text() + " " + std::to_string(bypass.port);
  return fmt::format("{} {} {} {}", bypass.technique, address, bypass.transport, bypass.sender.comm);
}

class Bypass : public ::testing::Test {
 protected:
  void SetUp() override {
    if (backend_under_test() != kernel::Backend::cgroup) {
      GTEST_SKIP() << "the same programs whatever the backend: run with cgroup";
    }
    NSL_ASSERT_OK(enter_own_network_namespace());
    kernel::SensorOptions options;
    options.bypasses = true;
    options.public_resolvers = {*parse_ip_address(listed), *parse_ip_address(listed6)};
    options.own_resolvers = {*parse_ip_address(own)};
    auto harness = Harness::start(options);
    NSL_ASSERT_OK(harness);
    harness_.emplace(std::move(*harness));
    NSL_ASSERT_OK(harness_->list({zone_entry()}));
    ASSERT_TRUE(harness_->sensor().bypass_watch().watched) << harness_->sensor().bypass_watch().refusal;
    harness_->sensor().on_bypass([this](const nsl_bypass& bypass) { seen_.push_back(bypass); });
  }

  void TearDown() override {
    if (IsSkipped()) return;
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    report_case("bypass_" + name, HasFailure() ? "failed" : "seen");
  }

  // Of the child alone: other programs of this machine have sockets, too.
  std::vector<std::string> told_of(const std::function<void()>& body) {
    const auto run = run_child("client", [&]() -> Result<void> {
      body();
      return {};
    });
    EXPECT_TRUE(run.result.has_value());
    return told_of(run.pid);
  }

  std::vector<std::string> told_of(pid_t pid) {
    EXPECT_TRUE(harness_->collect().has_value());
    std::vector<std::string> told;
    for (const nsl_bypass& bypass : seen_) {
      if (bypass.sender.process.tgid != static_cast<nsl_u32>(pid)) continue;
      EXPECT_TRUE(harness_->sensor().process(bypass.sender.process).has_value());
      told.push_back(text_of(bypass));
    }
    return told;
  }

  std::optional<Harness> harness_;
  std::vector<nsl_bypass> seen_;
};

using Told = std::vector<std::string>;

TEST_F(Bypass, ConnectionsToResolvers) {
  const std::uint16_t quic_before_its_port = 8853;
  EXPECT_EQ(told_of([] { connect_to(SOCK_STREAM, listed, 853); }), Told{"1 127.0.0.2 853 2 client"});
  EXPECT_EQ(told_of([] { connect_to(SOCK_STREAM, unlisted, 853); }), Told{"1 192.0.2.53 853 2 client"});
  EXPECT_EQ(told_of([] { connect_to(SOCK_STREAM, listed, 443); }), Told{"2 127.0.0.2 443 2 client"});
  EXPECT_EQ(told_of([] { connect_to(SOCK_DGRAM, listed, 443); }), Told{"2 127.0.0.2 443 1 client"});
  EXPECT_EQ(told_of([] { send_to(listed, 443); }), Told{"2 127.0.0.2 443 1 client"});
  EXPECT_EQ(told_of([] { send_to(unlisted, 853); }), Told{"3 192.0.2.53 853 1 client"});
  EXPECT_EQ(told_of([&] { send_to(listed, quic_before_its_port); }), Told{"3 127.0.0.2 8853 1 client"});
  EXPECT_EQ(told_of([] { connect_to(SOCK_STREAM, listed6, 443); }), Told{"2 ::1 443 2 client"});
  EXPECT_EQ(told_of([] { send_to(listed6, 443); }), Told{"2 ::1 443 1 client"});
  EXPECT_EQ(told_of([] { connect_to(SOCK_STREAM, "::ffff:127.0.0.2", 443); }), Told{"2 127.0.0.2 443 2 client"});
}

TEST_F(Bypass, OtherResolvers) {
  EXPECT_EQ(told_of([] { send_to(unlisted, 53); }), Told{"4 192.0.2.53 53 1 client"});
  EXPECT_EQ(told_of([] { connect_to(SOCK_DGRAM, unlisted, 53); }), Told{"4 192.0.2.53 53 1 client"});
  EXPECT_EQ(told_of([] { connect_to(SOCK_STREAM, "2001:db8::53", 53); }), Told{"4 2001:db8::53 53 2 client"});
}

TEST_F(Bypass, WhatIsNone) {
  EXPECT_EQ(told_of([] {
              connect_to(SOCK_STREAM, unlisted, 443);
              connect_to(SOCK_STREAM, listed, 80);
              connect_to(SOCK_DGRAM, "127.0.0.3", 53);
              connect_to(SOCK_STREAM, "127.0.0.3", 853);
              send_to(own, 53);
              connect_to(SOCK_STREAM, own, 853);
              send_to(unlisted, 8853);
            }),
            Told{});
}

TEST_F(Bypass, ToldOnceOfAProcessAndAnAddress) {
  EXPECT_EQ(told_of([] {
              for (int i = 0; i < 50; ++i) connect_to(SOCK_STREAM, listed, 443);
              for (int i = 0; i < 50; ++i) send_to(unlisted, 53);
            }),
            (Told{"2 127.0.0.2 443 2 client", "4 192.0.2.53 53 1 client"}));
}

TEST_F(Bypass, RawSockets) {
  EXPECT_EQ(told_of([] { const Fd fd(::socket(AF_INET, SOCK_RAW, IPPROTO_RAW)); }), Told{"5 - 0 client"});
  EXPECT_EQ(told_of([] { const Fd fd(::socket(AF_INET6, SOCK_RAW, IPPROTO_UDP)); }), Told{"5 - 0 client"});
  EXPECT_EQ(told_of([] {
              const Fd ping(::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
              const Fd ping6(::socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
            }),
            Told{});
}

TEST_F(Bypass, OpenPacketSocket) {
  const std::string& refusal = harness_->sensor().bypass_watch().sockets_refusal;
  if (!refusal.empty()) {
    report_case("OpenPacketSocket", "skipped(" + refusal + ")");
    GTEST_SKIP() << refusal;
  }
  Gate open, seen;
  auto child = Child::start("sniffer", [&]() -> Result<void> {
    const Fd fd(::socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)));
    open.open();
    return seen.wait();
  });
  NSL_ASSERT_OK(child);
  NSL_ASSERT_OK(open.wait());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  Told told;
  while ((told = told_of(child->pid())).empty() && std::chrono::steady_clock::now() < end) ::usleep(50'000);
  seen.open();
  NSL_ASSERT_OK(child->wait());
  EXPECT_EQ(told, Told{"6 - 0 sniffer"});
}

}  // namespace
}  // namespace nslookout::kernel_test
