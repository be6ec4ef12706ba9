#include "agent/bypass.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/ip_address.h"
#include "identity_fake_proc.h"
#include "kernel/bypasses.h"

namespace nslookout::agent {
namespace {

constexpr std::uint64_t tick = 10'000'000;
constexpr std::uint64_t start_ticks = 5577;

class ConfiguredToAsk : public testing::Test {
 protected:
  ConfiguredToAsk() { proc_.add(4711, "dig", start_ticks); }

  // Whether the process may be configured to ask 192.0.2.2.
  [[nodiscard]] bool ask() const {
    nsl_bypass bypass{};
    bypass.technique = NSL_OTHER_RESOLVER;
    bypass.address = kernel::kernel_address(*parse_ip_address("192.0.2.2"));
    bypass.sender.process = {.start_boottime = start_ticks * tick + 99, .tgid = 4711, .exec_id = 1};
    return may_be_configured_to_ask(bypass, proc_.path());
  }

  identity::FakeProc proc_;
};

TEST_F(ConfiguredToAsk, WhatItsFileNames) {
  proc_.write("4711/root/etc/resolv.conf", "nameserver 192.0.2.1\nnameserver 192.0.2.2\n");
  EXPECT_TRUE(ask());
  proc_.write("4711/root/etc/resolv.conf", "nameserver 192.0.2.1\n");
  EXPECT_FALSE(ask());
}

TEST_F(ConfiguredToAsk, NothingWhereItSeesNoFile) {
  std::filesystem::create_directories(proc_.path("4711/root"));
  EXPECT_FALSE(ask());
}

TEST_F(ConfiguredToAsk, NobodyIsAccusedWhoseRootCannotBeOpened) { EXPECT_TRUE(ask()); }

TEST_F(ConfiguredToAsk, NobodyIsAccusedWhoHasEnded) {
  std::filesystem::remove_all(proc_.path("4711"));
  EXPECT_TRUE(ask());
  proc_.add(4711, "another", start_ticks + 1);
  proc_.write("4711/root/etc/resolv.conf", "nameserver 192.0.2.1\n");
  EXPECT_TRUE(ask()) << "that file is another process's";
}

}  // namespace
}  // namespace nslookout::agent
