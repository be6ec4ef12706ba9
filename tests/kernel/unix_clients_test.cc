// Clients of a resolver's Unix socket. The test is the resolver: it listens where nscd and systemd-resolved do, in a mount
// namespace with a /run of its own.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "base/dns_name.h"
#include "child.h"
#include "harness.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

constexpr const char* nscd_path = "/run/nscd/socket";
constexpr const char* varlink_path = "/run/systemd/resolve/io.systemd.Resolve";

Result<void> enter_own_run_folder() {
  if (::unshare(CLONE_NEWNS) != 0) return fail_errno("unshare");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return fail_errno("mount");
  ::mkdir("/run", 0755);
  if (::mount("none", "/run", "tmpfs", 0, nullptr) != 0) return fail_errno("mount /run");
  for (const char* folder : {"/run/nscd", "/run/systemd", "/run/systemd/resolve"}) {
    if (::mkdir(folder, 0755) != 0) return fail_errno(folder);
  }
  return {};
}

sockaddr_un address_of(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return address;
}

Result<Fd> listen_at(const char* path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail_errno("bind");
  if (::listen(fd.get(), 8) != 0) return fail_errno("listen");
  return fd;
}

Result<Fd> connect_at(const char* path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno("connect");
  }
  return fd;
}

Result<void> ask(const char* path, const std::string& request) {
  const auto fd = connect_at(path);
  if (!fd) return fail(fd.error());
  if (::send(fd->get(), request.data(), request.size(), 0) != static_cast<ssize_t>(request.size())) {
    return fail_errno("send");
  }
  return {};
}

Result<void> ask_by_splice(const char* path, const std::string& request) {
  const auto fd = connect_at(path);
  if (!fd) return fail(fd.error());
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("pipe2");
  const Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  const auto size = static_cast<ssize_t>(request.size());
  if (::write(write_end.get(), request.data(), request.size()) != size) return fail_errno("write to the pipe");
  if (::splice(read_end.get(), nullptr, fd->get(), nullptr, request.size(), 0) != size) return fail_errno("splice");
  return {};
}

Result<void> ask_in_two_pieces(const char* path, const std::string& request) {
  const auto fd = connect_at(path);
  if (!fd) return fail(fd.error());
  for (const auto& piece : {request.substr(0, 6), request.substr(6)}) {
    if (::send(fd->get(), piece.data(), piece.size(), 0) != static_cast<ssize_t>(piece.size())) {
      return fail_errno("send");
    }
  }
  return {};
}

std::string nscd_request(std::uint32_t type, const std::string& key) {
  const std::uint32_t header[] = {2, type, static_cast<std::uint32_t>(key.size() + 1)};
  return std::string(reinterpret_cast<const char*>(header), sizeof header) + key + '\0';
}

std::string varlink_request(const std::string& name) {
  return R"({"method":"io.systemd.Resolve.ResolveHostname","parameters":{"name":")" + name + R"(","flags":0}})" + '\0';
}

std::uint64_t inode_of(const Fd& fd) {
  struct stat status{};
  return ::fstat(fd.get(), &status) == 0 ? status.st_ino : 0;
}

class UnixClients : public ::testing::Test {
 protected:
  // A sensor that watches, with both sockets there.
  void SetUp() override {
    if (backend_under_test() != kernel::Backend::cgroup) {
      GTEST_SKIP() << "the same programs whatever the backend: run with cgroup";
    }
    NSL_ASSERT_OK(enter_own_run_folder());
    auto nscd = listen_at(nscd_path);
    NSL_ASSERT_OK(nscd);
    nscd_ = std::move(*nscd);
    auto varlink = listen_at(varlink_path);
    NSL_ASSERT_OK(varlink);
    varlink_ = std::move(*varlink);
    auto harness = Harness::start();
    NSL_ASSERT_OK(harness);
    harness_.emplace(std::move(*harness));
    NSL_ASSERT_OK(harness_->list({zone_entry()}));
    const kernel::UnixWatch& watch = harness_->sensor().unix_watch();
    if (!watch.watched) {
      report_case(::testing::UnitTest::GetInstance()->current_test_info()->name(), "skipped(" + watch.refusal + ")");
      GTEST_SKIP() << watch.refusal;
    }
    report_programs(watch.programs);
  }

  // A child asks; its candidate is the only one.
  void check(const char* path, const std::string& request, const std::string& wire, nsl_transport transport,
             std::uint64_t listener) {
    const auto run = run_child("client", [&] { return ask(path, request); });
    NSL_ASSERT_OK(run.result);
    const auto candidates = harness_->collect();
    NSL_ASSERT_OK(candidates);
    ASSERT_EQ(candidates->size(), 1U);
    const nsl_candidate& found = candidates->front();
    EXPECT_EQ(name_of(found), wire);
    EXPECT_EQ(found.transport, transport);
    EXPECT_EQ(found.record_type, 0);
    EXPECT_EQ(found.sender.process.tgid, static_cast<nsl_u32>(run.pid));
    EXPECT_STREQ(found.sender.comm, "client");
    EXPECT_TRUE(found.listener == listener || found.listener == 0) << found.listener;  // not known before Linux 6.3
    EXPECT_TRUE(harness_->sensor().process(found.sender.process).has_value());
    report_case(::testing::UnitTest::GetInstance()->current_test_info()->name(), "seen");
  }

  Fd nscd_, varlink_;
  std::optional<Harness> harness_;
};

TEST_F(UnixClients, NscdHost) {
  const auto wire = unique_name("nscd");
  check(nscd_path, nscd_request(14, wire_to_presentation(wire)), wire, NSL_NSCD, inode_of(nscd_));
}

TEST_F(UnixClients, Varlink) {
  const auto wire = unique_name("varlink");
  check(varlink_path, varlink_request(wire_to_presentation(wire)), wire, NSL_VARLINK, inode_of(varlink_));
}

TEST_F(UnixClients, WhatIsNotAboutHostsStaysInTheKernel) {
  const auto before = harness_->counters()[NSL_COUNT_candidates];
  const auto run = run_child("client", [&]() -> Result<void> {
    for (const std::uint32_t type : {0U, 1U, 2U, 11U, 13U, 15U, 16U}) {
      if (auto asked = ask(nscd_path, nscd_request(type, "root")); !asked) return asked;
    }
    return {};
  });
  NSL_ASSERT_OK(run.result);
  const auto candidates = harness_->collect();
  NSL_ASSERT_OK(candidates);
  EXPECT_TRUE(candidates->empty());
  EXPECT_EQ(harness_->counters()[NSL_COUNT_candidates], before + 1) << "the canary alone";
}

// Pages that are handed over, and a request in pieces, cannot be read; what cannot be read is counted.
TEST_F(UnixClients, WhatCannotBeReadIsCounted) {
  const auto name = wire_to_presentation(unique_name("unread"));
  const struct {
    const char* text;
    const char* path;
    std::string request;
    std::function<Result<void>(const char*, const std::string&)> ask;
  } rows[] = {
      {"varlink, spliced", varlink_path, varlink_request(name), ask_by_splice},
      {"nscd, spliced", nscd_path, nscd_request(14, name), ask_by_splice},
      {"nscd, the first piece too short", nscd_path, nscd_request(14, name), ask_in_two_pieces},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    const auto before = harness_->counters()[NSL_COUNT_unix_request_unread];
    const auto run = run_child("client", [&] { return row.ask(row.path, row.request); });
    NSL_ASSERT_OK(run.result);
    const auto candidates = harness_->collect();
    NSL_ASSERT_OK(candidates);
    EXPECT_TRUE(candidates->empty());
    EXPECT_GT(harness_->counters()[NSL_COUNT_unix_request_unread], before);
  }
}

TEST_F(UnixClients, AnotherSocketIsNobodys) {
  const char* other = "/run/nscd/socket2";
  const auto listener = listen_at(other);
  NSL_ASSERT_OK(listener);
  const auto wire = unique_name("other");
  const auto run = run_child("client", [&] { return ask(other, nscd_request(14, wire_to_presentation(wire))); });
  NSL_ASSERT_OK(run.result);
  const auto candidates = harness_->collect();
  NSL_ASSERT_OK(candidates);
  EXPECT_TRUE(candidates->empty());
}

}  // namespace
}  // namespace nslookout::kernel_test
