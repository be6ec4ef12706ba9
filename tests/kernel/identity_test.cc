// Who asked (field cases 45 to 70): whatever process sends, its thread-group id in the initial pid namespace comes out,
// with its names, its cgroup, its network namespace, and an entry of the process table that outlives it.
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <thread>

#include <pthread.h>

#include "cgroup.h"
#include "child.h"
#include "control_messages.h"
#include "harness.h"
#include "network_namespace.h"
#include "program.h"
#include "sender.h"
#include "sink.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

const SocketAddress& server() {
  static const auto address = server_address(AddressKind::v4);
  return address;
}

// Runs body in a forked grandchild and waits for it; its pid, as its parent sees it, goes to numbers[0].
template <typename Body>
Result<void> fork_and_wait(const SharedNumbers& numbers, const Body& body) {
  const auto pid = ::fork();
  if (pid < 0) return fail_errno("fork");
  if (pid == 0) ::_exit(body() ? 0 : 1);
  numbers[0] = static_cast<std::uint64_t>(pid);
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || status != 0) return fail(ErrorClass::runtime, "the grandchild failed");
  return {};
}

class Identity : public SensorSuite {
 protected:
  // Runs body, collects, and compares with what is expected of the child (or of whom `adjust` names).
  using Adjust = std::function<void(Expected&)>;
  std::vector<nsl_candidate> run_case(const std::string& name, const std::string& wire, const ChildBody& body,
                                      const Adjust& adjust) {
    const auto before = harness().counters();
    const auto run = run_child("sender", body);
    skipped_ = !run.result && run.result.error().kind == ErrorClass::unsupported;
    if (skipped_) {
      report_case(name, "skipped(" + run.result.error().message + ")");
      return {};
    }
    EXPECT_TRUE(run.result.has_value()) << run.result.error().message;
    auto candidates = harness().collect();
    EXPECT_TRUE(candidates.has_value()) << candidates.error().message;
    if (!run.result || !candidates) return {};
    Expected expected{.name = wire, .pid = run.pid, .tid = run.pid};
    if (adjust) adjust(expected);
    check_case(name, seen_everywhere, {expected}, *candidates, before, harness().counters());
    return *candidates;
  }

  std::optional<nsl_process> entry_of(const nsl_candidate& candidate) {
    auto entry = harness().sensor().process(candidate.sender.process);
    EXPECT_TRUE(entry.has_value()) << "no entry of the process table";
    return entry;
  }

  // The processes that started it, nearest first, as far as the table goes and at most count.
  static std::vector<pid_t> ancestor_pids(const nsl_process& process, std::size_t count) {
    std::vector<pid_t> pids;
    std::optional<nsl_process> entry = process;
    while (pids.size() < count) {
      const auto key = entry->parent;
      pids.push_back(static_cast<pid_t>(key.tgid));
      entry = harness().sensor().process(key);
      if (!entry) break;
    }
    return pids;
  }

  bool skipped_ = false;
};

TEST_F(Identity, ForkedChildWithAnInheritedSocket) {
  const auto wire = unique_name("inherited");
  const SharedNumbers numbers;
  run_case(
      "inherited_socket", wire,
      [&]() -> Result<void> {
        const auto fd = connect_socket(server(), SOCK_DGRAM);
        if (!fd) return fail(fd.error());
        return fork_and_wait(numbers, [&] { return send_on(fd->get(), query(wire)).has_value(); });
      },
      [&](Expected& expected) { expected.pid = expected.tid = numbers.pid(0); });
}

Result<void> pass_descriptor(int channel, int fd) {
  return ControlMessages().add_int(SOL_SOCKET, SCM_RIGHTS, fd).send(channel, nullptr, "x", "sendmsg(SCM_RIGHTS)");
}

Result<Fd> take_descriptor(int channel) {
  char octet = 0;
  iovec part{.iov_base = &octet, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1) return fail_errno("recvmsg(SCM_RIGHTS)");
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
  return Fd(fd);
}

// Whoever sends is the sender, not whoever opened and connected the socket.
TEST_F(Identity, DescriptorPassedToAnotherProcess) {
  const auto wire = unique_name("passed");
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const Fd near(ends[0]);
  const Fd far(ends[1]);
  auto opener = Child::start("opener", [&]() -> Result<void> {
    const auto fd = connect_socket(server(), SOCK_DGRAM);
    if (!fd) return fail(fd.error());
    return pass_descriptor(near.get(), fd->get());
  });
  NSL_ASSERT_OK(opener);
  run_case(
      "passed_descriptor", wire,
      [&]() -> Result<void> {
        const auto fd = take_descriptor(far.get());
        if (!fd) return fail(fd.error());
        return send_on(fd->get(), query(wire));
      },
      nullptr);
  NSL_ASSERT_OK(opener->wait());
}

// dig and Node send from a worker: the process is the group leader, the thread keeps its own name.
TEST_F(Identity, ThreadWithItsOwnName) {
  const auto wire = unique_name("thread");
  const SharedNumbers numbers;
  const auto candidates = run_case(
      "named_thread", wire,
      [&]() -> Result<void> {
        Result<void> sent;
        std::thread worker([&] {
          ::pthread_setname_np(::pthread_self(), "isc-net-0000");
          numbers[0] = static_cast<std::uint64_t>(::syscall(SYS_gettid));
          sent = send_sendto(server(), {query(wire)});
        });
        worker.join();
        return sent;
      },
      [&](Expected& expected) {
        expected.tid = numbers.pid(0);
        expected.thread_comm = "isc-net-0000";
      });
  ASSERT_EQ(candidates.size(), 1U);
  EXPECT_NE(candidates.front().sender.tid, candidates.front().sender.process.tgid);
}

TEST_F(Identity, RenamedProcessIsReportedByItsNewName) {
  const auto wire = unique_name("renamed");
  run_case(
      "renamed_process", wire,
      [&] {
        ::prctl(PR_SET_NAME, "evil\n\xff\"name");
        return send_sendto(server(), {query(wire)});
      },
      [](Expected& expected) { expected.comm = expected.thread_comm = "evil\n\xff\"name"; });
}

// Each exits at once and is reaped before the sensor is read: a hundred pids, names and executables all the same.
TEST_F(Identity, OneShotProcesses) {
  constexpr int count = 100;
  std::vector<Expected> expected;
  const auto before = harness().counters();
  for (int i = 0; i < count; ++i) {
    const auto comm = fmt::format("one-shot-{:02}", i);
    const auto wire = unique_name("oneshot");
    const auto run = run_child(comm, [&] { return send_sendto(server(), {query(wire)}); });
    NSL_ASSERT_OK(run.result);
    expected.push_back({.name = wire, .pid = run.pid, .tid = run.pid, .comm = comm, .thread_comm = comm});
  }
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  check_case("one_shot_processes", seen_everywhere, expected, *candidates, before, harness().counters());
  const auto executable = own_executable();
  for (const auto& candidate : *candidates) {
    EXPECT_EQ(candidate.sender.parent.tgid, static_cast<std::uint32_t>(::getpid()));
    const auto entry = entry_of(candidate);
    ASSERT_TRUE(entry.has_value());
    EXPECT_EQ(executable_of(*entry), executable);
    EXPECT_EQ(entry->namespace_tgid, candidate.sender.process.tgid);
    EXPECT_EQ(entry->parent.tgid, static_cast<std::uint32_t>(::getpid()));
  }
}

TEST_F(Identity, ShortLivedProgramHasItsPathAndArguments) {
  const std::string name = fmt::format("execd.{}", zone());
  const auto executable = own_executable();
  const std::vector<std::string> arguments = {"an odd argv[0]", "--send-one",     name, "line\nbreak", "quote\"s'",
                                              "\xff\xfe",       "\x1b[31mescape", "",   "last"};
  const SharedNumbers numbers;
  const auto candidates = run_case(
      "execd_helper", wire_name(name),
      [&] { return exec_and_wait(numbers, {.path = executable, .arguments = arguments}); },
      [&](Expected& expected) {
        expected.pid = expected.tid = numbers.pid(0);
        expected.comm = expected.thread_comm = own_comm();
      });
  ASSERT_EQ(candidates.size(), 1U);
  const auto entry = entry_of(candidates.front());
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(executable_of(*entry), executable);
  EXPECT_EQ(argv_of(*entry), arguments_as_stored(arguments));
  EXPECT_EQ(entry->flags & NSL_PROCESS_FROM_EXEC, NSL_PROCESS_FROM_EXEC);
  EXPECT_EQ(entry->flags & NSL_PROCESS_ARGV_TRUNCATED, 0U);
}

TEST_F(Identity, LongCommandLineIsCutAndSaysSo) {
  const std::string name = fmt::format("longargv.{}", zone());
  const std::vector<std::string> arguments = {"kernel_test", "--send-one", name, std::string(100'000, 'a'),
                                              std::string(100'000, 'b')};
  const SharedNumbers numbers;
  const auto candidates = run_case(
      "long_command_line", wire_name(name),
      [&] { return exec_and_wait(numbers, {.path = own_executable(), .arguments = arguments}); },
      [&](Expected& expected) {
        expected.pid = expected.tid = numbers.pid(0);
        expected.comm = expected.thread_comm = own_comm();
      });
  ASSERT_EQ(candidates.size(), 1U);
  const auto entry = entry_of(candidates.front());
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(argv_of(*entry), arguments_as_stored(arguments).substr(0, NSL_ARGV_MAX));
  EXPECT_EQ(entry->flags & NSL_PROCESS_ARGV_TRUNCATED, NSL_PROCESS_ARGV_TRUNCATED);
}

// The same process before and after exec is two programs: two keys, two entries.
TEST_F(Identity, ExecIsAnotherEntryOfTheSameProcess) {
  const auto first = unique_name("beforeexec");
  const std::string second = fmt::format("afterexec.{}", zone());
  const auto run = run_child("sender", [&]() -> Result<void> {
    const SharedNumbers numbers;
    return fork_and_wait(numbers, [&] {
      if (!send_sendto(server(), {query(first)})) return false;
      ::execl("/proc/self/exe", "after", "--send-one", second.c_str(), nullptr);
      return false;
    });
  });
  NSL_ASSERT_OK(run.result);
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  ASSERT_EQ(candidates->size(), 2U);
  const auto& before = candidates->front().sender.process;
  const auto& after = candidates->back().sender.process;
  EXPECT_EQ(before.tgid, after.tgid);
  EXPECT_EQ(before.start_boottime, after.start_boottime);
  EXPECT_NE(before.exec_id, after.exec_id);
  const auto entry_before = entry_of(candidates->front());
  const auto entry_after = entry_of(candidates->back());
  ASSERT_TRUE(entry_before && entry_after);
  EXPECT_NE(argv_of(*entry_before), argv_of(*entry_after));
  EXPECT_EQ(argv_of(*entry_after), arguments_as_stored({"after", "--send-one", second}));
  report_case("exec_is_another_entry", "seen");
}

// An orphan that runs another program is still known by who started it.
TEST_F(Identity, AnOrphansExecKeepsItsStarter) {
  const std::string name = fmt::format("orphanexec.{}", zone());
  const SharedNumbers numbers;
  const auto candidates = run_case(
      "orphan_exec", wire_name(name),
      [&]() -> Result<void> {
        std::array<int, 2> lives{};  // end of file on it: the orphan has ended
        if (::pipe2(lives.data(), O_CLOEXEC) != 0) return fail_errno("pipe2");
        Gate orphaned;
        const auto parent = ::fork();
        if (parent == 0) {
          numbers[1] = static_cast<std::uint64_t>(::getpid());
          if (::fork() != 0) ::_exit(0);
          numbers[0] = static_cast<std::uint64_t>(::getpid());
          if (orphaned.wait() && ::fcntl(lives[1], F_SETFD, 0) == 0) {
            ::execl(own_executable().c_str(), "sender", "--send-one", name.c_str(), nullptr);
          }
          ::_exit(1);
        }
        ::waitpid(parent, nullptr, 0);
        ::close(lives[1]);
        orphaned.open();
        char octet = 0;
        if (::read(lives[0], &octet, 1) != 0) return fail_errno("read");
        ::close(lives[0]);
        return {};
      },
      [&](Expected& expected) {
        expected.pid = expected.tid = numbers.pid(0);
        expected.comm = expected.thread_comm = own_comm();
      });
  ASSERT_EQ(candidates.size(), 1U);
  const auto entry = entry_of(candidates.front());
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(argv_of(*entry), arguments_as_stored({"sender", "--send-one", name}));
  EXPECT_NE(static_cast<pid_t>(candidates.front().sender.parent.tgid), numbers.pid(1)) << "it has been adopted";
  EXPECT_EQ(ancestor_pids(*entry, 1), std::vector<pid_t>{numbers.pid(1)});
}

// Whether the process runs under this name (argv[0]) within 30 s. The kernel closes files on exec before it counts it, and
// shows the new command line after that.
bool waits_as(pid_t pid, const std::string& name) {
  for (int i = 0; i < 30'000; ++i) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
    std::string first;
    if (std::getline(file, first, '\0') && first == name) return true;
    ::usleep(1000);
  }
  return false;
}

// The parent is the program that started the process, not the one that the parent runs by now.
TEST_F(Identity, AParentThatRunsAnotherProgramSinceIsNamedByTheOldOne) {
  const auto wire = unique_name("oldparent");
  const SharedNumbers numbers;
  const auto candidates = run_case(
      "parent_runs_another_program", wire,
      [&]() -> Result<void> {
        std::array<int, 2> exec_done{};  // end of file on it: the parent runs the other program
        if (::pipe2(exec_done.data(), O_CLOEXEC) != 0) return fail_errno("pipe2");
        const auto parent = ::fork();
        if (parent == 0) {
          ::prctl(PR_SET_NAME, "starter");
          numbers[1] = static_cast<std::uint64_t>(::getpid());
          const auto child = ::fork();
          if (child == 0) {
            ::prctl(PR_SET_NAME, "sender");
            ::close(exec_done[1]);
            char octet = 0;
            if (::read(exec_done[0], &octet, 1) != 0) ::_exit(1);
            if (!waits_as(::getppid(), "waiter")) ::_exit(1);
            numbers[0] = static_cast<std::uint64_t>(::getpid());
            ::_exit(send_sendto(server(), {query(wire)}) ? 0 : 1);
          }
          const auto number = std::to_string(child);
          ::execl("/proc/self/exe", "waiter", "--wait-for", number.c_str(), nullptr);
          ::_exit(1);
        }
        ::close(exec_done[0]);
        ::close(exec_done[1]);
        int status = 0;
        if (::waitpid(parent, &status, 0) != parent || status != 0)
          return fail(ErrorClass::runtime, "the parent failed");
        return {};
      },
      [&](Expected& expected) { expected.pid = expected.tid = numbers.pid(0); });
  ASSERT_EQ(candidates.size(), 1U);
  const auto entry = entry_of(candidates.front());
  ASSERT_TRUE(entry.has_value());
  const auto starter = harness().sensor().process(entry->parent);
  ASSERT_TRUE(starter.has_value());
  EXPECT_EQ(entry->parent.tgid, static_cast<std::uint32_t>(numbers.pid(1)));
  EXPECT_NE(argv_of(*starter), arguments_as_stored({"waiter", "--wait-for", std::to_string(numbers.pid(0))}));
  EXPECT_NE(entry->parent.exec_id, candidates.front().sender.parent.exec_id);
}

TEST_F(Identity, ChildOfAPidNamespaceHasItsHostPid) {
  const auto wire = unique_name("pidns");
  const SharedNumbers numbers;
  const auto candidates = run_case(
      "pid_namespace", wire,
      [&]() -> Result<void> {
        if (::unshare(CLONE_NEWPID) != 0) return fail(ErrorClass::unsupported, "no pid namespace");
        return fork_and_wait(numbers,
                             [&] { return ::getpid() == 1 && send_sendto(server(), {query(wire)}).has_value(); });
      },
      [&](Expected& expected) { expected.pid = expected.tid = numbers.pid(0); });
  if (skipped_) GTEST_SKIP();
  ASSERT_EQ(candidates.size(), 1U);
  const auto entry = entry_of(candidates.front());
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->namespace_tgid, 1U);
}

// Two namespaces, the same source address and port: two processes.
TEST_F(Identity, NetworkNamespacesWithTheSameSource) {
  const SharedNumbers namespaces;
  Gate gate;
  const auto sender = [&](std::size_t index, const std::string& wire) {
    return [&namespaces, &gate, index, wire]() -> Result<void> {
      if (auto entered = enter_own_network_namespace(); !entered) return entered;
      namespaces[index] = network_namespace_inode();
      const SocketAddress source(AF_INET, "127.0.0.5", 4444);
      const auto fd = open_socket(source, SOCK_DGRAM);
      if (!fd) return fail(fd.error());
      if (::bind(fd->get(), source.get(), source.length()) != 0) return fail_errno("bind");
      if (auto opened = gate.wait(); !opened) return opened;
      return send_to_on(fd->get(), server(), query(wire));
    };
  };
  const std::array wires{unique_name("netns"), unique_name("netns")};
  const auto before = harness().counters();
  auto first = Child::start("sender", sender(0, wires[0]));
  NSL_ASSERT_OK(first);
  auto second = Child::start("sender", sender(1, wires[1]));
  NSL_ASSERT_OK(second);
  gate.open();
  NSL_ASSERT_OK(first->wait());
  NSL_ASSERT_OK(second->wait());
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  const std::vector<Expected> expected = {{.name = wires[0], .pid = first->pid(), .tid = first->pid()},
                                          {.name = wires[1], .pid = second->pid(), .tid = second->pid()}};
  check_case("network_namespaces", seen_everywhere, expected, *candidates, before, harness().counters());
  for (const auto& candidate : *candidates) {
    EXPECT_EQ(candidate.source_port, 4444);
    EXPECT_EQ(candidate.sender.network_namespace, namespaces[name_of(candidate) == wires[0] ? 0 : 1].load());
  }
}

TEST_F(Identity, UserAndGroup) {
  const auto wire = unique_name("user");
  const auto candidates = run_case(
      "user_and_group", wire,
      [&]() -> Result<void> {
        if (::setgid(65533) != 0 || ::setuid(65534) != 0) return fail_errno("setuid");
        return send_sendto(server(), {query(wire)});
      },
      nullptr);
  ASSERT_EQ(candidates.size(), 1U);
  EXPECT_EQ(candidates.front().sender.uid, 65534U);
  EXPECT_EQ(candidates.front().sender.gid, 65533U);
  EXPECT_EQ(candidates.front().sender.network_namespace, network_namespace_inode());
}

TEST_F(Identity, CgroupOfTheProcess) {
  const auto name = fmt::format("nslookout-test-{}", ::getpid());
  const auto cgroup = OwnCgroup::make(name);
  if (!cgroup && cgroup.error().kind == ErrorClass::unsupported) {
    report_case("own_cgroup", "skipped(" + cgroup.error().message + ")");
    GTEST_SKIP() << cgroup.error().message;
  }
  NSL_ASSERT_OK(cgroup);
  const auto wire = unique_name("cgroup");
  const SharedNumbers numbers;
  const auto candidates = run_case(
      "own_cgroup", wire,
      [&]() -> Result<void> {
        if (auto entered = cgroup->enter(); !entered) return entered;
        return fork_and_wait(numbers, [&] { return send_sendto(server(), {query(wire)}).has_value(); });
      },
      [&](Expected& expected) { expected.pid = expected.tid = numbers.pid(0); });
  ASSERT_EQ(candidates.size(), 1U);
  EXPECT_EQ(candidates.front().sender.cgroup_id, cgroup->id());
  const auto entry = entry_of(candidates.front());
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->cgroup_id, cgroup->id());
  EXPECT_EQ(std::string(entry->cgroup_leaf), name);
}

// Parent gone before the query: the process is right, and so is who started it, whoever has adopted it since.
TEST_F(Identity, DetachedGrandchild) {
  const auto wire = unique_name("detached");
  const SharedNumbers numbers;
  const auto candidates = run_case(
      "detached_grandchild", wire,
      [&]() -> Result<void> {
        Gate sent;
        Gate orphaned;
        numbers[2] = static_cast<std::uint64_t>(::getpid());
        const auto parent = ::fork();
        if (parent == 0) {
          numbers[1] = static_cast<std::uint64_t>(::getpid());
          if (::fork() != 0) ::_exit(0);
          ::setsid();
          numbers[0] = static_cast<std::uint64_t>(::getpid());
          const bool good = orphaned.wait() && send_sendto(server(), {query(wire)});
          if (good) sent.open();
          ::_exit(0);
        }
        ::waitpid(parent, nullptr, 0);
        orphaned.open();
        return sent.wait();
      },
      [&](Expected& expected) { expected.pid = expected.tid = numbers.pid(0); });
  ASSERT_EQ(candidates.size(), 1U);
  const auto entry = entry_of(candidates.front());
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(executable_of(*entry), own_executable());
  EXPECT_EQ(ancestor_pids(*entry, 3), (std::vector<pid_t>{numbers.pid(1), numbers.pid(2), ::getpid()}));
}

// Two processes that never sleep stay on the processors; the sender is never taken for one of them.
TEST_F(Identity, BusyBystanders) {
  constexpr int count = 200;
  const auto spin = []() -> Result<void> {
    for (std::atomic<unsigned> turns = 0;;) ++turns;
  };
  const auto first = Child::start("bystander", spin);
  const auto second = Child::start("bystander", spin);
  NSL_ASSERT_OK(first);
  NSL_ASSERT_OK(second);
  Payloads payloads;
  std::vector<std::string> wires;
  for (int i = 0; i < count; ++i) {
    wires.push_back(unique_name("busy"));
    payloads.push_back(query(wires.back()));
  }
  const auto before = harness().counters();
  const auto run = run_child("sender", [&] { return send_sendto(server(), payloads); });
  NSL_ASSERT_OK(run.result);
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  std::vector<Expected> expected;
  for (const auto& wire : wires) expected.push_back({.name = wire, .pid = run.pid, .tid = run.pid});
  check_case("busy_bystanders", seen_everywhere, expected, *candidates, before, harness().counters());
}

}  // namespace
}  // namespace nslookout::kernel_test
