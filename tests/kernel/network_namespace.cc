#include "network_namespace.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "address.h"

namespace nslookout::kernel_test {

namespace {

Result<void> bring_loopback_up() {
  const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  if (::ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0) return fail_errno("SIOCGIFFLAGS");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  if (::ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) return fail_errno("SIOCSIFFLAGS");
  return {};
}

Result<void> write_one(const char* path) {
  const Fd fd(::open(path, O_WRONLY | O_CLOEXEC));
  if (!fd.valid() || ::write(fd.get(), "1", 1) != 1) return fail_errno(path);
  return {};
}

}  // namespace

Result<void> enter_own_network_namespace() {
  if (::unshare(CLONE_NEWNET) != 0) {
    return fail(ErrorClass::unsupported, "a network namespace of its own: {}", errno_text(errno));
  }
  if (auto up = bring_loopback_up(); !up) return up;
  if (auto done = write_one("/proc/sys/net/ipv4/conf/lo/route_localnet"); !done) return done;
  return write_one("/proc/sys/net/ipv4/conf/lo/accept_local");
}

std::uint64_t network_namespace_inode() {
  struct stat status{};
  return ::stat("/proc/self/ns/net", &status) == 0 ? status.st_ino : 0;
}

Result<void> load_nft_script(const std::string& script) {
  const char* nft = ::access("/usr/sbin/nft", X_OK) == 0 ? "/usr/sbin/nft" : nullptr;
  if (nft == nullptr) return fail(ErrorClass::unsupported, "nft is not installed");
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return fail_errno("pipe");
  const Fd complaints(::memfd_create("nft", MFD_CLOEXEC));
  const auto pid = ::fork();
  if (pid < 0) return fail_errno("fork");
  if (pid == 0) {
    ::dup2(ends[0], STDIN_FILENO);
    ::dup2(complaints.get(), STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execl(nft, "nft", "-f", "-", nullptr);
    ::_exit(127);
  }
  ::close(ends[0]);
  const auto written = ::write(ends[1], script.data(), script.size());
  ::close(ends[1]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (written != static_cast<ssize_t>(script.size()) || status != 0) {
    std::array<char, 512> text{};
    const ssize_t got = ::pread(complaints.get(), text.data(), text.size(), 0);
    const std::string said(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    // A kernel without something is no fault; a script that no nft can read is one.
    const bool faulty = said.find("syntax error") != std::string::npos;
    return fail(faulty ? ErrorClass::runtime : ErrorClass::unsupported, "nft refused the rules: {}", said);
  }
  return {};
}

}  // namespace nslookout::kernel_test
