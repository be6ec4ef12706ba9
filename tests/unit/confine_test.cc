// confine/: what a running agent may still do, and what it refuses to read.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include "base/quiet_thread.h"
#include "confine/capabilities.h"
#include "confine/syscall_filter.h"
#include "confine/writable.h"

namespace nslookout::confine {
namespace {

namespace fs = std::filesystem;

// What a call gives in a process that has filtered its system calls: 0, its errno, or -1 when the process died.
int filtered(const std::function<long()>& call) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!filter_syscalls()) ::_exit(254);
    errno = 0;
    const long outcome = call();
    ::_exit(outcome < 0 ? errno : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

long map_with(int protection) {
  return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

TEST(SyscallFilter, RefusesWhatARunningAgentNeverDoes) {
  const struct {
    const char* what;
    std::function<long()> call;
    int outcome;
  } cases[] = {
      {"another program", [] { return ::execl("/bin/true", "true", nullptr); }, EPERM},
      {"tracing", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }, EPERM},
      {"a user namespace", [] { return ::unshare(CLONE_NEWUSER); }, EPERM},
      {"a mount namespace", [] { return ::setns(0, CLONE_NEWNS); }, EPERM},
      {"any kind of namespace", [] { return ::setns(0, 0); }, EPERM},
      {"memory to write and to run", [] { return map_with(PROT_READ | PROT_WRITE | PROT_EXEC); }, EPERM},
      {"a packet socket", [] { return ::socket(AF_PACKET, SOCK_DGRAM, 0); }, EPERM},
      {"a module", [] { return ::syscall(SYS_init_module, nullptr, 0, ""); }, EPERM},
      {"io_uring", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }, EPERM},
      {"memory of others", [] { return ::syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0); }, EPERM},
      {"a call newer than the list", [] { return ::syscall(540); }, ENOSYS},
      {"a signal to another process", [] { return ::kill(::getppid(), 0); }, EPERM},
  };
  for (const auto& one : cases) EXPECT_EQ(filtered(one.call), one.outcome) << one.what;
}

TEST(SyscallFilter, LeavesWhatItDoes) {
  const struct {
    const char* what;
    std::function<long()> call;
    int outcome;
  } cases[] = {
      {"a file", [] { return ::open("/proc/self/status", O_RDONLY); }, 0},
      {"memory", [] { return map_with(PROT_READ | PROT_WRITE); }, 0},
      {"a library's code", [] { return map_with(PROT_READ | PROT_EXEC); }, 0},
      {"a socket", [] { return ::socket(AF_INET6, SOCK_STREAM, 0); }, 0},
      {"a network namespace, once it has a descriptor of one", [] { return ::setns(-1, CLONE_NEWNET); }, EBADF},
      {"a thread",
       [] {
         std::thread([] {}).join();
         return 0L;
       },
       0},
      {"bpf(2), which then says what it thinks of this",
       [] { return ::syscall(SYS_bpf, -1, nullptr, 0) < 0 ? 0L : 0L; }, 0},
  };
  for (const auto& one : cases) EXPECT_EQ(filtered(one.call), one.outcome) << one.what;
}

TEST(SyscallFilter, HoldsForThreadsThatWereThereBefore) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::atomic<bool> ready = false;
    int refused = 0;
    std::thread earlier([&] {
      while (!ready) std::this_thread::yield();
      refused = ::unshare(CLONE_NEWUSER) < 0 ? errno : 0;
    });
    const bool loaded = filter_syscalls().has_value();
    ready = true;
    earlier.join();
    ::_exit(loaded && refused == EPERM ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

// The names of what a process with all of root's capabilities, but perhaps one, keeps.
std::string kept_by(const Duties& duties, std::optional<cap_value_t> without = std::nullopt) {
  int pipe[2];
  EXPECT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::string text;
    if (without) {
      cap_t own = cap_get_proc();
      cap_set_flag(own, CAP_EFFECTIVE, 1, &*without, CAP_CLEAR);
      cap_set_flag(own, CAP_PERMITTED, 1, &*without, CAP_CLEAR);
      if (cap_set_proc(own) != 0) ::_exit(1);
    }
    const auto kept = keep_capabilities(duties);
    for (const std::string& name : kept.value_or(std::vector<std::string>{"failed"})) text += name.substr(4) + " ";
    ::_exit(::write(pipe[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(pipe[1]);
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(pipe[0], text.data(), text.size()), 0)));
  ::close(pipe[0]);
  ::waitpid(child, nullptr, 0);
  return text;
}

TEST(Capabilities, StayWithTheirDuty) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root: there are none to keep";
  EXPECT_EQ(kept_by({}), "BPF SYS_PTRACE DAC_READ_SEARCH SYS_ADMIN ");
  EXPECT_EQ(kept_by({.answers = true}), "BPF SYS_PTRACE DAC_READ_SEARCH SYS_ADMIN NET_RAW ");
  EXPECT_EQ(kept_by({.writes_for_others = true}), "BPF SYS_PTRACE DAC_READ_SEARCH SYS_ADMIN DAC_OVERRIDE ");
}

TEST(Capabilities, WithoutTheAdministratorsWhatItStandsForStays) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root: there are none to keep";
  EXPECT_EQ(kept_by({}, CAP_SYS_ADMIN), "BPF SYS_PTRACE DAC_READ_SEARCH PERFMON NET_ADMIN ");
}

TEST(Capabilities, EachHasAReason) {
  for (const Kept& kept : kept_capabilities()) EXPECT_NE(std::string(kept.reason), "") << kept.name;
}

class Files : public ::testing::Test {
 protected:
  Files() {
    std::string name = (fs::temp_directory_path() / "nslookout-confine-XXXXXX").native();
    folder_ = ::mkdtemp(name.data());
    fs::create_directories(folder_ / "rules/below");
    std::ofstream(folder_ / "rules/below/rule.yml") << "title: x\n";
  }
  ~Files() override { fs::remove_all(folder_); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  // "" or the path that is complained about, from the folder on.
  std::string refused(const std::string& name) {
    const auto checked = check_not_writable_by_all({(folder_ / name).native()});
    if (checked) return "";
    const std::string text = checked.error().message.substr(folder_.native().size());
    return text.substr(0, text.find(':'));
  }
  void set_mode(const std::string& name, mode_t mode) { ASSERT_EQ(::chmod((folder_ / name).c_str(), mode), 0); }

  fs::path folder_;
};

TEST_F(Files, ThatAnyUserMayWrite) {
  EXPECT_EQ(refused("rules"), "");
  EXPECT_EQ(refused("absent"), "");
  set_mode("rules", 0775);  // a group's folder is its group's business
  EXPECT_EQ(refused("rules"), "");
  set_mode("rules/below/rule.yml", 0666);
  EXPECT_EQ(refused("rules"), "/rules/below/rule.yml");
  EXPECT_EQ(refused("rules/below/rule.yml"), "/rules/below/rule.yml");
  set_mode("rules/below/rule.yml", 0644);
  set_mode("rules/below", 0777);
  EXPECT_EQ(refused("rules"), "/rules/below");
  EXPECT_EQ(refused("rules/below/rule.yml"), "/rules/below") << "anybody may put another file in its place";
  set_mode("rules/below", 01777);
  EXPECT_EQ(refused("rules/below/rule.yml"), "") << "sticky: nobody else may";
  EXPECT_EQ(refused("rules/below"), "/rules/below") << "but anybody may add a rule";
}

TEST_F(Files, BehindALinkToAFolder) {
  fs::create_directories(folder_ / "elsewhere/deeper");
  std::ofstream(folder_ / "elsewhere/deeper/rule.yml") << "title: x\n";
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "rules/linked");
  EXPECT_EQ(refused("rules"), "");
  set_mode("elsewhere/deeper/rule.yml", 0666);
  EXPECT_EQ(refused("rules"), "/rules/linked/deeper/rule.yml");
}

TEST_F(Files, OfOthers) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root: it cannot make files of others";
  EXPECT_FALSE(others_own({"", (folder_ / "rules/new").native()}));
  ASSERT_EQ(::chown((folder_ / "rules/below").c_str(), 65534, 65534), 0);
  EXPECT_TRUE(others_own({(folder_ / "rules/below/new").native()}));
  set_mode("rules/below", 0777);
  EXPECT_FALSE(others_own({(folder_ / "rules/below/new").native()}));
}

TEST(QuietThread, HasNoCapabilityBeyondFiles) {
  std::string line;
  start_quiet_thread([&] {
    std::ifstream status("/proc/thread-self/status");
    while (std::getline(status, line) && !line.starts_with("CapPrm:")) {
    }
  }).join();
  ASSERT_TRUE(line.starts_with("CapPrm:")) << line;
  constexpr unsigned long long for_files = 1U << 1 | 1U << 2;  // CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
  EXPECT_EQ(std::stoull(line.substr(8), nullptr, 16) & ~for_files, 0U);
}

}  // namespace
}  // namespace nslookout::confine
