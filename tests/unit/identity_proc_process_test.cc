#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "identity/proc_process.h"
#include "identity_fake_proc.h"

namespace nslookout::identity {
namespace {

constexpr std::uint64_t tick = 10'000'000;  // ns; USER_HZ is 100 on every Linux that runs this

nsl_process_key key_of(std::uint32_t pid, std::uint64_t start_ticks) {
  return {.start_boottime = start_ticks * tick + 123, .tgid = pid, .exec_id = 1};
}

TEST(ProcStat, AnyCommIsRead) {
  for (const std::string comm : {"curl", "a b", ") S 1 1 1", "((", "a)\n1 (b", ""}) {
    const auto stat = parse_stat("12 (" + comm + ") R 7 8 9 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 5577 1000 20\n");
    ASSERT_TRUE(stat) << comm;
    EXPECT_EQ(stat->comm, comm);
    EXPECT_EQ(stat->parent_pid, 7U);
    EXPECT_EQ(stat->session, 9U);
    EXPECT_EQ(stat->start_ticks, 5577U);
  }
}

TEST(ProcStat, WhatIsNoStatIsNothing) {
  for (const char* text :
       {"", "12", "12 (curl", "12 (curl) R 7 8 9", ") (", "12 (c) R x 8 9 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 5 1"}) {
    EXPECT_FALSE(parse_stat(text)) << text;
  }
}

TEST(ProcProcess, OnlyTheProcessWithTheSameStartIsOpened) {
  const FakeProc proc;
  proc.add(4711, "curl", 5577);
  EXPECT_TRUE(ProcProcess::open(proc.path(), key_of(4711, 5577)));
  EXPECT_FALSE(ProcProcess::open(proc.path(), key_of(4711, 5576)));
  EXPECT_FALSE(ProcProcess::open(proc.path(), key_of(4711, 5578)));
  EXPECT_FALSE(ProcProcess::open(proc.path(), key_of(4712, 5577)));
}

TEST(ProcProcess, ReadsWhatProcHas) {
  const FakeProc proc;
  proc.add(4711, "curl", 5577);
  const auto process = ProcProcess::open(proc.path(), key_of(4711, 5577));
  ASSERT_TRUE(process);
  EXPECT_EQ(process->executable()->path, "/usr/bin/from-proc");
  EXPECT_EQ(process->cwd(), "/srv/shop");
  EXPECT_EQ(process->command_line(100), std::string("from-proc\0--flag\0", 17));
  EXPECT_EQ(process->command_line(4), "from");
  EXPECT_EQ(process->cgroups(), (std::vector<std::string>{"/v2/path", "/v1"}));
}

TEST(ProcProcess, TheOwnNumberIsThatOfTheInitialPidNamespaceOrNotKnown) {
  const FakeProc proc;
  EXPECT_EQ(own_pid(proc.path()), 0U);
  proc.link("self", "4711");
  EXPECT_EQ(own_pid(proc.path()), 4711U);
  proc.link("1/ns/pid", "pid:[4026532999]");
  EXPECT_EQ(own_pid(proc.path()), 0U) << "another namespace's number means another process to the kernel";
}

TEST(ProcProcess, AFakeProcOfAnotherPidNamespaceIsSeen) {
  const FakeProc proc;
  EXPECT_TRUE(shows_initial_pid_namespace(proc.path()));
  std::filesystem::remove(proc.path("1/ns/pid"));
  EXPECT_FALSE(shows_initial_pid_namespace(proc.path()));
  proc.link("1/ns/pid", "pid:[4026532999]");
  EXPECT_FALSE(shows_initial_pid_namespace(proc.path()));
}

// A child that waits until the pipe closes, and its start time as the kernel has it (to a clock tick).
class WaitingChild {
 public:
  WaitingChild() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[1]);
      char octet = 0;
      const ssize_t got = ::read(ends[0], &octet, 1);
      ::_exit(got == 0 ? 0 : 1);
    }
    ::close(ends[0]);
    hold_ = Fd(ends[1]);
  }
  WaitingChild(const WaitingChild&) = delete;
  WaitingChild& operator=(const WaitingChild&) = delete;
  ~WaitingChild() { end(); }

  void end() {
    hold_.reset();
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  [[nodiscard]] nsl_process_key key() const {
    std::ifstream file(fmt::format("/proc/{}/stat", pid_));
    std::string text;
    std::getline(file, text);
    const std::uint64_t ticks = parse_stat(text).value().start_ticks;
    const auto offset = static_cast<std::uint64_t>(own_boottime_offset().count());
    return {.start_boottime = ticks * tick - offset, .tgid = static_cast<nsl_u32>(pid_), .exec_id = 1};
  }

 private:
  pid_t pid_ = -1;
  Fd hold_;
};

TEST(ProcProcess, ARealProcessIsReadAndItsEndIsTheEnd) {
  WaitingChild child;
  const nsl_process_key key = child.key();
  const auto process = ProcProcess::open("/proc", key);
  ASSERT_TRUE(process);
  EXPECT_EQ(process->executable()->path, std::filesystem::read_symlink("/proc/self/exe").string());
  EXPECT_FALSE(process->executable()->deleted);
  EXPECT_EQ(process->cwd(), std::filesystem::current_path().string());
  child.end();
  EXPECT_FALSE(process->stat()) << "the directory stays that of the process that has gone";
  EXPECT_FALSE(process->cwd());
  EXPECT_FALSE(ProcProcess::open("/proc", key));
}

}  // namespace
}  // namespace nslookout::identity
