// What is known of the program that asks, also when it is gone: script, working directory, files without a name, listed
// variables of the environment and no others; pids that are used again; programs that ran before the sensor.
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "child.h"
#include "harness.h"
#include "program.h"
#include "sender.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

using Texts = std::vector<std::string>;

const SocketAddress& server() {
  static const auto address = server_address(AddressKind::v4);
  return address;
}

class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "nslookout-kernel-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = std::filesystem::canonical(pattern);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class ProgramFacts : public SensorSuite {
 protected:
  // Runs the program, which sends one query for the name, and returns its entry.
  static std::optional<nsl_process> entry_after(const std::string& case_name, const std::string& name,
                                                const Program& program) {
    const SharedNumbers numbers;
    const auto run = run_child("parent", [&] { return exec_and_wait(numbers, program); });
    EXPECT_TRUE(run.result.has_value()) << run.result.error().message;
    const auto candidates = harness().collect();
    EXPECT_TRUE(candidates.has_value());
    if (!run.result || !candidates || candidates->size() != 1) {
      report_case(case_name, "failed");
      ADD_FAILURE() << "not one candidate";
      return std::nullopt;
    }
    EXPECT_EQ(name_of(candidates->front()), wire_name(name));
    EXPECT_EQ(candidates->front().sender.process.tgid, static_cast<std::uint32_t>(numbers.pid(0)));
    const auto entry = harness().sensor().process(candidates->front().sender.process);
    EXPECT_TRUE(entry.has_value()) << "no entry of the process table";
    report_case(case_name, entry ? "seen" : "failed");
    return entry;
  }

  // The variables that are kept of a program with this environment; "-" for none at all.
  static std::string kept(const std::string& case_name, const Texts& environment) {
    const auto name = fmt::format("{}.{}", case_name, zone());
    const auto entry = entry_after(
        "environment_" + case_name, name,
        {.path = own_executable(), .arguments = {"kernel_test", "--send-one", name}, .environment = environment});
    if (!entry) return "failed";
    if (entry->environment == 0) return "-";
    const auto found = harness().sensor().environment(entry->environment);
    if (!found) return "lost";
    std::string text(found->text, found->length);
    std::ranges::replace(text, '\0', '|');
    return text + (found->truncated != 0 ? "..." : "");
  }
};

TEST_F(ProgramFacts, ScriptAndWorkingDirectory) {
  const Folder folder;
  const auto name = fmt::format("script.{}", zone());
  std::ofstream(folder.path() / name) << "#!" << own_executable() << " --send-one\n";
  std::filesystem::permissions(folder.path() / name, std::filesystem::perms::owner_all);
  const auto entry = entry_after("script", name, {.path = name, .arguments = {"a", "b"}, .cwd = folder.path()});
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(executable_of(*entry), own_executable());
  EXPECT_EQ(script_of(*entry), name) << "not the argument of the first line, which stands before it";
  EXPECT_EQ(cwd_of(*entry), folder.path());
}

TEST_F(ProgramFacts, TheRootAsWorkingDirectoryAndNoScript) {
  const auto name = fmt::format("noscript.{}", zone());
  const auto entry =
      entry_after("root_directory", name,
                  {.path = own_executable(), .arguments = {own_executable(), "--send-one", name}, .cwd = "/"});
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(cwd_of(*entry), "/");
  EXPECT_EQ(script_of(*entry), "");
}

TEST_F(ProgramFacts, ADeepWorkingDirectoryIsCutAndSaysSo) {
  const Folder folder;
  auto deep = folder.path();
  for (int i = 0; i < 5; ++i) deep /= std::string(200, static_cast<char>('a' + i));
  std::filesystem::create_directories(deep);
  const auto name = fmt::format("deep.{}", zone());
  const auto entry = entry_after("deep_directory", name,
                                 {.path = own_executable(), .arguments = {"x", "--send-one", name}, .cwd = deep});
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(executable_of(*entry), own_executable());
  EXPECT_EQ(entry->flags & NSL_PROCESS_CWD_TRUNCATED, NSL_PROCESS_CWD_TRUNCATED);
  EXPECT_TRUE(deep.string().ends_with(cwd_of(*entry))) << cwd_of(*entry);
  EXPECT_GE(cwd_of(*entry).size(), 200U);
}

Result<void> copy_own_executable(int to) {
  const Fd from(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  for (;;) {
    const auto copied = ::sendfile(to, from.get(), nullptr, 1u << 30);
    if (copied < 0) return fail(ErrorClass::runtime, "copying the binary: errno {}", errno);
    if (copied == 0) return {};
  }
}

TEST_F(ProgramFacts, AProgramThatWasNeverAFile) {
  const auto name = fmt::format("memfd.{}", zone());
  const Fd memory(::memfd_create("nsl evil", 0));
  NSL_ASSERT_OK(copy_own_executable(memory.get()));
  const auto entry =
      entry_after("memfd", name, {.path = "", .arguments = {"x", "--send-one", name}, .fd = memory.get()});
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(executable_of(*entry), "/memfd:nsl evil");
  EXPECT_EQ(entry->flags & NSL_PROCESS_EXE_DELETED, NSL_PROCESS_EXE_DELETED);
}

TEST_F(ProgramFacts, AProgramWhoseFileIsGone) {
  const Folder folder;
  const auto path = folder.path() / "gone";
  {
    const Fd copy(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0700));
    NSL_ASSERT_OK(copy_own_executable(copy.get()));
  }
  const Fd program(::open(path.c_str(), O_RDONLY));
  std::filesystem::remove(path);
  const auto name = fmt::format("gone.{}", zone());
  const auto entry =
      entry_after("deleted_program", name, {.path = "", .arguments = {"x", "--send-one", name}, .fd = program.get()});
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(executable_of(*entry), path);
  EXPECT_EQ(entry->flags & NSL_PROCESS_EXE_DELETED, NSL_PROCESS_EXE_DELETED);
}

// A second process is given the number of the first, which has ended.
TEST_F(ProgramFacts, APidThatIsUsedAgainIsAnotherProcess) {
  const std::array wires{unique_name("reuse"), unique_name("reuse")};
  const auto first = run_child("first", [&] { return send_sendto(server(), {query(wires[0])}); });
  NSL_ASSERT_OK(first.result);
  clone_args arguments{};
  const std::array<pid_t, 1> wanted{first.pid};
  arguments.exit_signal = SIGCHLD;
  arguments.set_tid = reinterpret_cast<std::uintptr_t>(wanted.data());
  arguments.set_tid_size = wanted.size();
  const auto second = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (second == 0) ::_exit(send_sendto(server(), {query(wires[1])}) ? 0 : 1);
  if (second < 0) {
    report_case("pid_reuse", "skipped(clone3 cannot choose a pid here)");
    GTEST_SKIP() << "clone3: errno " << errno;
  }
  int status = -1;
  ASSERT_EQ(::waitpid(static_cast<pid_t>(second), &status, 0), second);
  ASSERT_EQ(status, 0);
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  ASSERT_EQ(candidates->size(), 2U);
  const auto& before = candidates->front().sender.process;
  const auto& after = candidates->back().sender.process;
  EXPECT_EQ(before.tgid, after.tgid);
  EXPECT_LT(before.start_boottime, after.start_boottime);
  const auto entry_before = harness().sensor().process(before);
  const auto entry_after = harness().sensor().process(after);
  ASSERT_TRUE(entry_before && entry_after);
  EXPECT_EQ(entry_before->parent.tgid, entry_after->parent.tgid);
  report_case("pid_reuse", "seen");
}

// This test is older than its sensor.
TEST_F(ProgramFacts, ProgramsThatRanBeforeAreInTheTable) {
  if (!harness().sensor().seeding_refused().empty()) {
    report_case("seeded", "skipped(" + harness().sensor().seeding_refused() + ")");
    GTEST_SKIP() << harness().sensor().seeding_refused();
  }
  const auto is = [](std::uint32_t tgid) { return [tgid](const nsl_process_key& key) { return key.tgid == tgid; }; };
  const auto& seeded = harness().sensor().seeded();
  const auto own = std::ranges::find_if(seeded, is(static_cast<std::uint32_t>(::getpid())));
  ASSERT_NE(own, seeded.end());
  const auto entry = harness().sensor().process(*own);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(executable_of(*entry), own_executable());
  EXPECT_EQ(cwd_of(*entry), std::filesystem::current_path());
  EXPECT_EQ(entry->parent.tgid, static_cast<std::uint32_t>(::getppid()));
  EXPECT_EQ(argv_of(*entry), "") << "nobody has completed it";
  EXPECT_NE(std::ranges::find_if(seeded, is(entry->parent.tgid)), seeded.end());

  harness().sensor().complete_seeded(*own, std::string("x\0y\0", 4), std::string("CI=1\0", 5));
  const auto completed = harness().sensor().process(*own);
  ASSERT_TRUE(completed.has_value());
  EXPECT_EQ(argv_of(*completed), std::string("x\0y\0", 4));
  const auto variables = harness().sensor().environment(completed->environment);
  ASSERT_TRUE(variables.has_value());
  EXPECT_EQ(std::string(variables->text, variables->length), std::string("CI=1\0", 5));
  report_case("seeded", "seen");
}

const std::string longest_name(NSL_VARIABLE_NAME - 1, 'L');  // harness.cc lists it

TEST_F(ProgramFacts, OnlyListedVariablesAreKept) {
  EXPECT_EQ(kept("none", {}), "-");
  EXPECT_EQ(kept("unlisted", {"SECRET=hunter2", "PATH=/bin", "CIX=1", "XCI=1", "C=1", "ci=1", "=CI=1", "npm_package=1",
                              "npm_package_nam=1", "npm_package_names=1", longest_name + "L=1"}),
            "-");
  EXPECT_EQ(kept("listed", {"A=1", "CI=true", "SECRET=hunter2", "npm_package_name=evil", longest_name + "=1", "B=2"}),
            "CI=true|npm_package_name=evil|" + longest_name + "=1|");
}

TEST_F(ProgramFacts, HostileValuesAreKeptAsTheyAre) {
  EXPECT_EQ(kept("hostile", {"CI=", "npm_package_name=line\nCI=2\xff\xfe\x1b[31m\"'=", "CI=second"}),
            "CI=|npm_package_name=line\nCI=2\xff\xfe\x1b[31m\"'=|CI=second|");
}

// What stands in another variable's value is no variable, wherever the pieces that are read begin.
TEST_F(ProgramFacts, NothingInsideALongVariableIsTakenForOne) {
  Texts environment;
  for (std::size_t shift = 0; shift < 300; ++shift) {
    std::string value = "LONG" + std::to_string(shift) + "=" + std::string(shift, 'x');
    while (value.size() < 1000) value += "CI=forged ";
    environment.push_back(value);
  }
  environment.emplace_back("CI=true");
  EXPECT_EQ(kept("inside", environment), "-") << "too long an environment to be read to its end";
  environment.erase(environment.begin(), environment.begin() + 100);
  EXPECT_EQ(kept("inside2", environment), "CI=true|");
}

TEST_F(ProgramFacts, BoundsOfAnEnvironment) {
  const auto before = harness().counters();
  EXPECT_EQ(kept("value", {"CI=" + std::string(252, 'v')}), "CI=" + std::string(252, 'v') + "|...")
      << "one that fills its room may have been longer";
  EXPECT_EQ(kept("longvalue", {"CI=" + std::string(5000, 'v'), "npm_package_name=a"}),
            "CI=" + std::string(252, 'v') + "|npm_package_name=a|...");
  EXPECT_EQ(kept("shortvalue", {"CI=" + std::string(251, 'v')}), "CI=" + std::string(251, 'v') + "|");
  Texts many(NSL_ENVIRONMENT_STEPS - 1, "A=1");
  many.emplace_back("CI=1");
  EXPECT_EQ(kept("many", many), "CI=1|...") << "whether there was more is not looked at";
  many.insert(many.begin(), "A=1");
  EXPECT_EQ(kept("toomany", many), "-");
  EXPECT_EQ(kept("full", Texts(10, "CI=" + std::string(200, 'v'))).size(), 6 * 204U + 3);
  EXPECT_EQ(kept("megabytes", Texts(15, "A=" + std::string(100'000, 'v'))), "-");
  EXPECT_GE(harness().counters().at(NSL_COUNT_environment_cut), before.at(NSL_COUNT_environment_cut) + 6);
}

TEST_F(ProgramFacts, ProcessesWithTheSameVariablesShareThem) {
  const auto entry_with = [](const std::string& stem, const Texts& environment) {
    const auto name = fmt::format("{}.{}", stem, zone());
    return entry_after(stem, name,
                       {.path = own_executable(), .arguments = {"x", "--send-one", name}, .environment = environment});
  };
  const auto first = entry_with("share1", {"CI=1", "A=1"});
  const auto second = entry_with("share2", {"B=1", "CI=1"});
  const auto other = entry_with("share3", {"B=1", "CI=2"});
  ASSERT_TRUE(first && second && other);
  EXPECT_EQ(first->environment, second->environment);
  EXPECT_NE(first->environment, other->environment);
}

// On a host with cgroups of version 1 a container may show in those alone.
TEST_F(ProgramFacts, ACgroupOfVersion1IsKnownWhereThatOfVersion2IsTheRoot) {
  const std::filesystem::path controller = "/sys/fs/cgroup/memory";
  const auto name = fmt::format("nslookout-v1-{}", ::getpid());
  std::error_code error;
  if (!std::filesystem::exists(controller / "cgroup.procs") ||
      !std::filesystem::create_directory(controller / name, error)) {
    report_case("cgroup_v1", "skipped(no memory controller of version 1)");
    GTEST_SKIP() << "no memory controller of version 1";
  }
  const auto wire = unique_name("v1");
  const SharedNumbers numbers;
  const auto run = run_child("parent", [&]() -> Result<void> {
    std::ofstream(controller / name / "cgroup.procs") << ::getpid() << std::flush;
    const auto sender = ::fork();
    if (sender == 0) ::_exit(send_sendto(server(), {query(wire)}) ? 0 : 1);
    int status = -1;
    if (::waitpid(sender, &status, 0) != sender || status != 0) return fail(ErrorClass::runtime, "the sender failed");
    return {};
  });
  std::filesystem::remove(controller / name, error);
  NSL_ASSERT_OK(run.result);
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  ASSERT_EQ(candidates->size(), 1U);
  const auto entry = harness().sensor().process(candidates->front().sender.process);
  ASSERT_TRUE(entry.has_value());
  if (candidates->front().sender.cgroup_id > 1) GTEST_SKIP() << "the test itself is not in the root of version 2";
  EXPECT_EQ(std::string(entry->cgroup_leaf), name);
  report_case("cgroup_v1", "seen");
}

// A table of a thousand entries, and four times as many processes: those that wait for the others' end are still in it.
TEST(ProcessTable, AncestorsOutliveMostOthers) {
  constexpr int others = 4000;
  auto harness = Harness::start({.process_entries = 1024});
  NSL_ASSERT_OK(harness);
  const auto wire = unique_name("kept");
  const SharedNumbers numbers;
  const auto run = run_child("oldest", [&]() -> Result<void> {
    numbers[0] = static_cast<std::uint64_t>(::getpid());
    const auto waiter = ::fork();
    if (waiter == 0) {
      numbers[1] = static_cast<std::uint64_t>(::getpid());
      for (int i = 0; i < others; ++i) {
        const auto other = ::vfork();  // NOLINT: nothing but _exit follows, and thousands of forks take long
        if (other == 0) ::_exit(0);
        ::waitpid(other, nullptr, 0);
      }
      const auto sender = ::fork();
      if (sender == 0) ::_exit(send_sendto(server(), {query(wire)}) ? 0 : 1);
      int status = -1;
      ::waitpid(sender, &status, 0);
      ::_exit(status == 0 ? 0 : 1);
    }
    int status = -1;
    if (::waitpid(waiter, &status, 0) != waiter || status != 0) return fail(ErrorClass::runtime, "the waiter failed");
    return {};
  });
  NSL_ASSERT_OK(run.result);
  const auto candidates = harness->collect();
  NSL_ASSERT_OK(candidates);
  ASSERT_EQ(candidates->size(), 1U);
  EXPECT_GT(harness->counters().at(NSL_COUNT_process_entries), static_cast<std::uint64_t>(others));
  auto entry = harness->sensor().process(candidates->front().sender.process);
  for (const auto pid : {numbers.pid(1), numbers.pid(0), ::getpid()}) {
    ASSERT_TRUE(entry.has_value());
    EXPECT_EQ(entry->parent.tgid, static_cast<std::uint32_t>(pid));
    entry = harness->sensor().process(entry->parent);
  }
  EXPECT_TRUE(entry.has_value()) << "the oldest of them has left the table";
  report_case("ancestors_kept", entry ? "seen" : "failed");
}

}  // namespace
}  // namespace nslookout::kernel_test
