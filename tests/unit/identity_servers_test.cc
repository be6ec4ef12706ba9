// Which sockets of this process's own network namespace pass for a resolver's.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/resolver_sockets.h"
#include "identity/network_view.h"
#include "identity/proc_process.h"
#include "identity/servers.h"

namespace nslookout::identity {
namespace {

std::uint64_t inode_of(const Fd& fd) {
  struct stat status{};
  EXPECT_EQ(::fstat(fd.get(), &status), 0);
  return status.st_ino;
}

// Bound to a name; one that begins with NUL is abstract (unix(7)).
Fd unix_socket(const std::string& name, bool listens) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  EXPECT_LE(name.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, name.data(), std::min(name.size(), sizeof address.sun_path));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (name[0] != '\0' ? 1 : 0));
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length), 0) << std::strerror(errno);
  if (listens) {
    EXPECT_EQ(::listen(fd.get(), 1), 0);
  }
  return fd;
}

// What a reader of /proc/PID/net/unix takes for a second socket of this process that listens at the path.
std::string forged(const Fd& any_socket, std::string_view path) {
  return std::string(1, '\0') +
         fmt::format("\n0000000000000000: 00000002 00000000 00010000 0001 01 {} {}", inode_of(any_socket), path);
}

class Folder {
 public:
  Folder() { EXPECT_NE(::mkdtemp(path_.data()), nullptr); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/servers-XXXXXX";
};

class OwnNamespace : public testing::Test {
 protected:
  void SetUp() override {
    if (!view_ || !view_->listening_unix_sockets({})) GTEST_SKIP() << "this kernel has no UNIX_DIAG";
  }

  [[nodiscard]] std::vector<std::uint64_t> listening_at(std::string_view path) const {
    return view_->listening_unix_sockets({&path, 1}).value();
  }

  const Fd home_{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
  const std::optional<NetworkView> view_ = NetworkView::open(home_.get());
  const Folder folder_;
};

TEST_F(OwnNamespace, ListenersAreFoundByTheirWholePath) {
  const std::string path = folder_.file("resolver");
  const Fd socket = unix_socket(path, true);
  const Fd mute = unix_socket(folder_.file("mute"), false);
  const Fd abstract = unix_socket(std::string(1, '\0') + path + "2", true);
  EXPECT_EQ(listening_at(path), std::vector{inode_of(socket)});
  EXPECT_TRUE(listening_at(folder_.file("mute")).empty()) << "it does not listen";
  EXPECT_TRUE(listening_at(path + "2").empty()) << "an abstract name is no path";
  EXPECT_TRUE(listening_at(path.substr(0, path.size() - 1)).empty());
}

TEST_F(OwnNamespace, ManySocketsAreAnsweredInManyMessages) {
  std::vector<Fd> others;
  for (int i = 0; i < 500; ++i) others.push_back(unix_socket(folder_.file(std::to_string(i)), true));
  for (const int i : {0, 250, 499}) {
    EXPECT_EQ(listening_at(folder_.file(std::to_string(i))),
              std::vector{inode_of(others[static_cast<std::size_t>(i)])});
  }
}

TEST_F(OwnNamespace, ANameWithALineOfProcInItIsNoResolver) {
  const Fd decoy(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const Fd forger = unix_socket(forged(decoy, resolver_sockets[1]), true);
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  nsl_sender self{};
  self.process = {.start_boottime = start_boottime(parse_stat(text).value().start_ticks) -
                                    static_cast<std::uint64_t>(own_boottime_offset().count()),
                  .tgid = static_cast<nsl_u32>(::getpid()),
                  .exec_id = 1};
  struct stat status{};
  ASSERT_EQ(::fstat(home_.get(), &status), 0);
  self.network_namespace = status.st_ino;
  const auto live = ProcProcess::open("/proc", self.process);
  ASSERT_TRUE(live);
  ASSERT_TRUE(live->holds_socket(live->listening_unix_sockets(resolver_sockets))) << "the text is fooled";
  EXPECT_FALSE(Servers("/proc").hides_clients(self, false, 1));
}

}  // namespace
}  // namespace nslookout::identity
