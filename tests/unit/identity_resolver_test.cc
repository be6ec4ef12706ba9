#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "identity/resolver.h"
#include "identity_fake_proc.h"

namespace nslookout::identity {
namespace {

constexpr std::uint64_t tick = 10'000'000;
constexpr std::uint64_t start_ticks = 5577;
const std::string container_id = "4f1c3a9b0d2e5f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c";
using Strings = std::vector<std::string>;

template <std::size_t size>
void set(char (&field)[size], std::string_view text) {
  std::memcpy(field, text.data(), text.size());
}

nsl_candidate curl_candidate() {
  nsl_candidate candidate{};
  nsl_sender& sender = candidate.sender;
  sender.process = {.start_boottime = start_ticks * tick + 99, .tgid = 4711, .exec_id = 2};
  sender.parent = {.start_boottime = 1, .tgid = 4000, .exec_id = 1};
  sender.tid = 4713;
  sender.uid = 1000;
  sender.gid = 100;
  set(sender.comm, "curl");
  set(sender.thread_comm, "resolver");
  return candidate;
}

nsl_process curl_entry() {
  nsl_process entry{};
  entry.parent = {.start_boottime = 1, .tgid = 3999, .exec_id = 1};
  entry.session = 4000;
  entry.namespace_tgid = 4711;
  entry.flags = NSL_PROCESS_FROM_EXEC;
  set(entry.comm, "curl");
  constexpr std::string_view executable = "curl/bin/usr/";
  set(entry.paths_reversed, executable);
  entry.executable_length = executable.size();
  constexpr std::string_view argv("curl\0-s\0", 8);
  set(entry.argv, argv);
  entry.argv_length = argv.size();
  set(entry.cgroup_leaf, "run-1.scope");
  return entry;
}

const ProcessTable empty_table{.process = [](const nsl_process_key&) { return std::optional<nsl_process>(); },
                               .environment = [](std::uint64_t) { return std::optional<nsl_environment>(); }};

// A table with the sender alone.
ProcessTable only(const nsl_process& entry) {
  ProcessTable table = empty_table;
  table.process = [entry](const nsl_process_key& key) {
    return key.tgid == curl_candidate().sender.process.tgid ? std::optional(entry) : std::nullopt;
  };
  return table;
}

class ResolverTest : public testing::Test {
 protected:
  ResolverTest() {
    proc_.write("passwd", "alice:x:1000:100\n");
    proc_.write("group", "users:x:100:\n");
  }

  [[nodiscard]] Resolver resolver() const {
    return Resolver({.proc_root = proc_.path(),
                     .passwd_file = proc_.path("passwd"),
                     .group_file = proc_.path("group"),
                     .cgroup2_mount = {}});
  }

  FakeProc proc_;
};

TEST_F(ResolverTest, AProcessThatHasExitedIsDescribedFromTheKernelsTable) {
  Resolver resolver = this->resolver();
  const Sender sender = resolver.describe(curl_candidate(), only(curl_entry()));
  ASSERT_TRUE(sender.process);
  const event::Process& process = *sender.process;
  EXPECT_EQ(process.pid, 4711U);
  EXPECT_EQ(process.tid, 4713U);
  EXPECT_EQ(process.comm, "curl");
  EXPECT_EQ(process.thread_comm, "resolver");
  EXPECT_EQ(process.executable, "/usr/bin/curl");
  EXPECT_EQ(process.command_line, (Strings{"curl", "-s"}));
  EXPECT_EQ(process.uid, 1000U);
  EXPECT_EQ(process.user, "alice");
  EXPECT_EQ(process.gid, 100U);
  EXPECT_EQ(process.group, "users");
  EXPECT_EQ(process.parent_pid, 3999U) << "who started it, not who has adopted it";
  EXPECT_EQ(process.session, 4000U);
  EXPECT_EQ(process.cgroup, "run-1.scope");
  EXPECT_EQ(process.cwd, "");
  EXPECT_EQ(process.namespace_pid, 0U) << "the same number needs no second field";
  EXPECT_FALSE(process.executable_deleted || process.executable_truncated || process.command_line_truncated);
  EXPECT_FALSE(sender.container);
  EXPECT_EQ(resolver.counters().from_table, 1U);
}

TEST_F(ResolverTest, TheStartTimeIsWallTimeAndTheSameInEveryEvent) {
  Resolver resolver = this->resolver();
  nsl_candidate candidate = curl_candidate();
  candidate.sender.process.start_boottime = static_cast<std::uint64_t>(boot_now().count());
  candidate.boottime = UINT64_MAX;  // each is looked at anew
  const auto now = std::chrono::system_clock::now();
  const auto first = resolver.describe(candidate, only(curl_entry())).process->start_time;
  ASSERT_TRUE(first);
  EXPECT_LT(std::chrono::abs(*first - now), std::chrono::seconds{1});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(resolver.describe(candidate, only(curl_entry())).process->start_time, first);
}

TEST_F(ResolverTest, ALiveProcessAddsItsCwdAndItsCgroupPath) {
  proc_.add(4711, "curl", start_ticks);
  const Sender sender = resolver().describe(curl_candidate(), only(curl_entry()));
  EXPECT_EQ(sender.process->cwd, "/srv/shop");
  EXPECT_EQ(sender.process->cgroup, "/v2/path");
  EXPECT_EQ(sender.process->executable, "/usr/bin/curl") << "the kernel's word counts";
  EXPECT_EQ(sender.process->command_line, (Strings{"curl", "-s"}));
}

TEST_F(ResolverTest, LookupsMadeBeforeALookShareIt) {
  Resolver resolver = this->resolver();
  int asked = 0;
  ProcessTable table = only(curl_entry());
  table.process = [&, entry = table.process](const nsl_process_key& key) {
    if (key.tgid == curl_candidate().sender.process.tgid) ++asked;
    return entry(key);
  };
  nsl_candidate candidate = curl_candidate();
  candidate.boottime = static_cast<std::uint64_t>(boot_now().count());
  ASSERT_TRUE(resolver.describe(candidate, table).process);
  EXPECT_EQ(asked, 1);

  candidate.sender.tid = 4799;  // another thread of the same
  set(candidate.sender.thread_comm, "worker\0\0\0");
  candidate.flags = NSL_FLAG_SENDER_FROM_SOCKET;
  const Sender again = resolver.describe(candidate, table);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(again.process->tid, 4799U);
  EXPECT_EQ(again.process->thread_comm.substr(0, 6), "worker");
  EXPECT_TRUE(again.process->sender_from_socket);
  EXPECT_EQ(again.process->executable, "/usr/bin/curl");
  EXPECT_EQ(resolver.counters().from_table, 2U);

  nsl_candidate other_user = candidate;
  other_user.sender.uid = 0;
  EXPECT_EQ(resolver.describe(other_user, table).process->uid, 0U);
  EXPECT_EQ(asked, 2);
  nsl_candidate exec = candidate;
  ++exec.sender.process.exec_id;
  EXPECT_TRUE(resolver.describe(exec, table).process);
  EXPECT_EQ(asked, 3);

  candidate.boottime =
      static_cast<std::uint64_t>(boot_now().count());  // made after the look: it may have gone elsewhere
  EXPECT_TRUE(resolver.describe(candidate, table).process);
  EXPECT_EQ(asked, 4);
}

TEST_F(ResolverTest, AReusedPidAddsNothing) {
  proc_.add(4711, "curl", start_ticks + 1);
  Resolver resolver = this->resolver();
  const Sender with_entry = resolver.describe(curl_candidate(), only(curl_entry()));
  EXPECT_EQ(with_entry.process->cwd, "");
  EXPECT_EQ(with_entry.process->cgroup, "run-1.scope");
  resolver = this->resolver();
  const Sender without = resolver.describe(curl_candidate(), empty_table);
  EXPECT_EQ(without.process->executable, "");
  EXPECT_EQ(without.process->command_line, Strings{});
  EXPECT_EQ(without.process->pid, 4711U);
  EXPECT_EQ(without.process->comm, "curl") << "the candidate's own";
  EXPECT_EQ(resolver.counters().undescribed, 1U);
}

TEST_F(ResolverTest, WithoutAnEntryALiveProcessIsReadFromProc) {
  proc_.add(4711, "curl", start_ticks);
  Resolver resolver = this->resolver();
  const Sender sender = resolver.describe(curl_candidate(), empty_table);
  EXPECT_EQ(sender.process->executable, "/usr/bin/from-proc");
  EXPECT_EQ(sender.process->command_line, (Strings{"from-proc", "--flag"}));
  EXPECT_EQ(sender.process->session, 9U);
  EXPECT_EQ(resolver.counters().from_proc, 1U);
}

TEST_F(ResolverTest, AnExecSinceTheLookupIsNotTakenForTheSender) {
  proc_.add(4711, "sh", start_ticks);
  Resolver resolver = this->resolver();
  const Sender sender = resolver.describe(curl_candidate(), empty_table);
  EXPECT_EQ(sender.process->executable, "");
  EXPECT_EQ(sender.process->command_line, Strings{});
  EXPECT_FALSE(sender.process->session);
  EXPECT_EQ(sender.process->cwd, "/srv/shop") << "the process is the same one";
  EXPECT_EQ(resolver.counters().undescribed, 1U);
}

TEST_F(ResolverTest, APathThatTheKernelCutIsCompletedWhenItsEndFits) {
  proc_.add(4711, "curl", start_ticks);
  nsl_process entry = curl_entry();
  entry.flags |= NSL_PROCESS_EXE_TRUNCATED;
  const Sender unfit = resolver().describe(curl_candidate(), only(entry));
  EXPECT_EQ(unfit.process->executable, ".../usr/bin/curl");
  EXPECT_TRUE(unfit.process->executable_truncated);
  std::filesystem::remove(proc_.path("4711/exe"));
  proc_.link("4711/exe", "/opt/deep/usr/bin/curl");
  const Sender fit = resolver().describe(curl_candidate(), only(entry));
  EXPECT_EQ(fit.process->executable, "/opt/deep/usr/bin/curl");
  EXPECT_FALSE(fit.process->executable_truncated);
}

// A file that is mounted over itself forty times and run: the kernel's steps are spent before the first name.
TEST_F(ResolverTest, APathOfWhichTheKernelGotNothingIsThatOfProc) {
  proc_.add(4711, "curl", start_ticks);
  nsl_process entry = curl_entry();
  entry.flags |= NSL_PROCESS_EXE_TRUNCATED;
  entry.executable_length = 0;
  const Sender sender = resolver().describe(curl_candidate(), only(entry));
  EXPECT_EQ(sender.process->executable, "/usr/bin/from-proc");
  EXPECT_FALSE(sender.process->executable_truncated);
}

TEST_F(ResolverTest, ACommandLineThatTheKernelCutIsCompletedWhenItsStartFits) {
  proc_.add(4711, "curl", start_ticks);
  nsl_process entry = curl_entry();
  entry.flags |= NSL_PROCESS_ARGV_TRUNCATED;
  entry.argv_length = 6;  // "curl", "-"
  const Sender overwritten = resolver().describe(curl_candidate(), only(entry));
  EXPECT_EQ(overwritten.process->command_line, (Strings{"curl", "-"}));
  EXPECT_TRUE(overwritten.process->command_line_truncated);
  proc_.write("4711/cmdline", std::string("curl\0-sS\0url\0", 13));
  const Sender whole = resolver().describe(curl_candidate(), only(entry));
  EXPECT_EQ(whole.process->command_line, (Strings{"curl", "-sS", "url"}));
  EXPECT_FALSE(whole.process->command_line_truncated);
}

TEST_F(ResolverTest, AnEntryHasTheWorkingDirectoryAndTheScript) {
  nsl_process entry = curl_entry();
  constexpr std::string_view paths = "curl/bin/usr/shop/srv/";
  set(entry.paths_reversed, paths);
  entry.cwd_length = std::string_view("shop/srv/").size();
  constexpr std::string_view argv("sh\0-e\0./install.sh\0now\0", 23);
  set(entry.argv, argv);
  entry.argv_length = argv.size();
  entry.script_at = 6;
  const Sender sender = resolver().describe(curl_candidate(), only(entry));
  EXPECT_EQ(sender.process->executable, "/usr/bin/curl");
  EXPECT_EQ(sender.process->cwd, "/srv/shop");
  EXPECT_EQ(sender.process->script, "./install.sh");
  entry.flags |= NSL_PROCESS_CWD_TRUNCATED;
  EXPECT_EQ(resolver().describe(curl_candidate(), only(entry)).process->cwd, ".../srv/shop");
}

// A setup.py that leaves its package's folder for another's stays that package's.
TEST_F(ResolverTest, APackageIsToldByTheFolderInWhichTheProgramWasStarted) {
  proc_.add(4711, "curl", start_ticks);
  nsl_process entry = curl_entry();
  constexpr std::string_view paths = "curl/bin/usr/demo/tmp/";
  set(entry.paths_reversed, paths);
  entry.cwd_length = std::string_view("demo/tmp/").size();
  const Sender sender = resolver().describe(curl_candidate(), only(entry));
  EXPECT_EQ(sender.programs->at(0).cwd, "/tmp/demo");
  EXPECT_EQ(sender.process->cwd, "/srv/shop") << "where it is at the lookup";
  const Sender without_entry = resolver().describe(curl_candidate(), empty_table);
  EXPECT_EQ(without_entry.programs->at(0).cwd, "/srv/shop") << "there is nothing else";
}

TEST_F(ResolverTest, AFolderThatTheKernelCutIsCompletedWhenThePresentOneEndsTheSame) {
  proc_.add(4711, "curl", start_ticks);
  nsl_process entry = curl_entry();
  entry.flags |= NSL_PROCESS_CWD_TRUNCATED;
  constexpr std::string_view paths = "curl/bin/usr/shop/";
  set(entry.paths_reversed, paths);
  entry.cwd_length = std::string_view("shop/").size();
  EXPECT_EQ(resolver().describe(curl_candidate(), only(entry)).programs->at(0).cwd, "/srv/shop");
  std::filesystem::remove(proc_.path("4711/cwd"));
  proc_.link("4711/cwd", "/tmp/requests-2.31.0");
  EXPECT_EQ(resolver().describe(curl_candidate(), only(entry)).programs->at(0).cwd, ".../shop");
}

// The kernel's table of environments is smaller than that of processes at times.
TEST_F(ResolverTest, VariablesThatTheTableLostAreReadFromTheLiveProgram) {
  nsl_process entry = curl_entry();
  entry.environment = 77;
  proc_.add(4711, "curl", start_ticks);
  proc_.write("4711/environ", std::string("SECRET=x\0GITHUB_ACTIONS=true\0", 29));
  Resolver resolver = this->resolver();
  const Sender live = resolver.describe(curl_candidate(), only(entry));
  EXPECT_EQ(live.programs->at(0).environment, (Variables{{"GITHUB_ACTIONS", "true"}}));
  EXPECT_FALSE(live.programs->at(0).environment_lost);
  EXPECT_EQ(resolver.counters().lost_variables, 0U);

  proc_.add(4711, "another", start_ticks);
  resolver = this->resolver();
  const Sender lost = resolver.describe(curl_candidate(), only(entry));
  EXPECT_EQ(lost.programs->at(0).environment, Variables{});
  EXPECT_TRUE(lost.programs->at(0).environment_lost);
  EXPECT_EQ(resolver.counters().lost_variables, 1U);

  entry.environment = 0;
  resolver = this->resolver();
  EXPECT_FALSE(resolver.describe(curl_candidate(), only(entry)).programs->at(0).environment_lost) << "it had none";
}

TEST_F(ResolverTest, BehindLostVariablesNothingIsNamed) {
  nsl_process entry = curl_entry();
  entry.environment = 77;
  proc_.add(3999, "sh", 0);
  proc_.write("3999/environ", std::string("GITHUB_ACTIONS=true\0", 20));
  EXPECT_FALSE(resolver().describe(curl_candidate(), only(entry)).origin);
  entry.environment = 0;
  EXPECT_TRUE(resolver().describe(curl_candidate(), only(entry)).origin);
}

TEST_F(ResolverTest, ProgramsHaveTheirVariables) {
  nsl_process entry = curl_entry();
  entry.environment = 77;
  ProcessTable table = only(entry);
  table.environment = [](std::uint64_t key) {
    nsl_environment environment{};
    constexpr std::string_view text("CI=1\0npm_package_name=a=b\0CI=2\0odd\0", 36);
    set(environment.text, text);
    environment.length = text.size();
    return key == 77 ? std::optional(environment) : std::nullopt;
  };
  proc_.add(3999, "sh", 0);
  proc_.write("3999/environ", std::string("SECRET=x\0GITHUB_ACTIONS=true\0", 29));
  const Sender sender = resolver().describe(curl_candidate(), table);
  ASSERT_EQ(sender.programs->size(), 2U);
  EXPECT_EQ(sender.programs->at(0).executable, "/usr/bin/curl");
  EXPECT_EQ(sender.programs->at(0).environment, (Variables{{"CI", "1"}, {"npm_package_name", "a=b"}}));
  EXPECT_EQ(sender.programs->at(1).executable, "/usr/bin/from-proc");
  EXPECT_EQ(sender.programs->at(1).environment, (Variables{{"GITHUB_ACTIONS", "true"}}));
}

TEST_F(ResolverTest, FlagsOfTheEntryShow) {
  nsl_process entry = curl_entry();
  entry.flags |= NSL_PROCESS_EXE_DELETED;
  entry.namespace_tgid = 1;
  nsl_candidate candidate = curl_candidate();
  candidate.flags = NSL_FLAG_SENDER_FROM_SOCKET;
  const Sender sender = resolver().describe(candidate, only(entry));
  EXPECT_TRUE(sender.process->executable_deleted);
  EXPECT_EQ(sender.process->namespace_pid, 1U);
  EXPECT_TRUE(sender.process->sender_from_socket);
}

TEST_F(ResolverTest, AnUnknownSenderHasNoProcess) {
  Resolver resolver = this->resolver();
  nsl_candidate candidate{};
  candidate.flags = NSL_FLAG_SENDER_UNKNOWN;
  const Sender sender = resolver.describe(candidate, empty_table);
  EXPECT_FALSE(sender.process);
  EXPECT_FALSE(sender.container);
  EXPECT_EQ(resolver.counters().unknown, 1U);
}

TEST_F(ResolverTest, AContainerIsToldByTheLeafAlone) {
  nsl_process entry = curl_entry();
  set(entry.cgroup_leaf, "docker-" + container_id + ".scope");
  const Sender sender = resolver().describe(curl_candidate(), only(entry));
  ASSERT_TRUE(sender.container);
  EXPECT_EQ(sender.container->id, container_id);
  EXPECT_EQ(sender.container->runtime, "docker");
}

TEST_F(ResolverTest, AContainerThatOnlyACgroupOfVersion1ShowsIsFound) {
  proc_.add(4711, "curl", start_ticks);
  proc_.write("4711/cgroup", "5:memory:/docker/" + container_id + "\n0::/\n");
  const Sender sender = resolver().describe(curl_candidate(), only(curl_entry()));
  EXPECT_EQ(sender.process->cgroup, "/");
  ASSERT_TRUE(sender.container);
  EXPECT_EQ(sender.container->id, container_id);
}

TEST_F(ResolverTest, AProcOfAnotherPidNamespaceIsNotUsed) {
  proc_.add(4711, "curl", start_ticks);
  std::filesystem::remove(proc_.path("1/ns/pid"));
  proc_.link("1/ns/pid", "pid:[4026532999]");
  Resolver resolver = this->resolver();
  EXPECT_FALSE(resolver.proc_usable());
  const Sender sender = resolver.describe(curl_candidate(), empty_table);
  EXPECT_EQ(sender.process->executable, "");
  EXPECT_EQ(sender.process->cwd, "");
}

TEST_F(ResolverTest, ACorruptLengthReadsNoFurtherThanTheField) {
  nsl_process entry = curl_entry();
  entry.executable_length = 65535;
  entry.argv_length = 65535;
  entry.cwd_length = 65535;
  entry.script_at = 65535;
  std::memset(entry.argv, 'a', sizeof entry.argv);
  const Sender sender = resolver().describe(curl_candidate(), only(entry));
  EXPECT_EQ(sender.process->command_line, Strings{std::string(NSL_ARGV_MAX, 'a')});
}

}  // namespace
}  // namespace nslookout::identity
