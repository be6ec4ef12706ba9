#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "identity/host.h"

namespace nslookout {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Clock, WallTimeOfNowIsNow) {
  const auto before = std::chrono::system_clock::now();
  const WallTime now = wall_from_boot(static_cast<std::uint64_t>(boot_now().count()), wall_minus_boot());
  const auto after = std::chrono::system_clock::now();
  EXPECT_GE(now, before - std::chrono::milliseconds{1});
  EXPECT_LE(now, after + std::chrono::milliseconds{1});
}

TEST(Clock, AStepOfTheWallClockMovesWhatIsMeasuredAfterIt) {
  EXPECT_EQ(wall_from_boot(5, seconds{100}) - wall_from_boot(5, seconds{40}), seconds{60});
}

TEST(Clock, TheOffsetOfATimeNamespaceIsRead) {
  struct Case {
    std::string_view text;
    nanoseconds offset;
  };
  const Case cases[] = {
      {"", nanoseconds{0}},
      {"monotonic           0         0\nboottime            0         0\n", nanoseconds{0}},
      {"monotonic  5 0\nboottime   7  250\n", seconds{7} + nanoseconds{250}},
      {"monotonic  0 0\nboottime  -3  0\n", seconds{-3}},
      {"rubbish", nanoseconds{0}},
  };
  for (const Case& c : cases) EXPECT_EQ(boottime_offset(c.text), c.offset) << c.text;
}

// The grandchild lives in a time namespace whose boot clock is a hundred days ahead; the kernel programs' is not.
int boot_clock_in_time_namespace(nanoseconds outside) {
  if (::unshare(CLONE_NEWTIME) != 0) return 77;
  const Fd offsets(::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC));
  constexpr std::string_view text = "boottime 8640000 0\n";
  if (::write(offsets.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return 77;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(std::chrono::abs(boot_now() - outside) < seconds{60} ? 0 : 1);
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

TEST(Clock, InATimeNamespaceTheBootClockIsStillTheKernels) {
  timespec now{};
  ASSERT_EQ(::clock_gettime(CLOCK_BOOTTIME, &now), 0);
  const nanoseconds outside = seconds{now.tv_sec};
  // Before anything of this process asked for the offset, which is read once: hence the death test's fresh process.
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      ::_exit(boot_clock_in_time_namespace(outside)),
      [](int status) { return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77); }, "");
}

TEST(HostIdentity, IsThatOfTheKernel) {
  const event::Host host = identity::describe_host();
  EXPECT_FALSE(host.name.empty());
  EXPECT_FALSE(host.kernel.empty());
  EXPECT_EQ(host.boot_id.size(), 36U) << host.boot_id;
}

}  // namespace
}  // namespace nslookout
