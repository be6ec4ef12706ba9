#include "agent/loopback_lookups.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/dns_flags.h"
#include "base/own_thread.h"

namespace nslookout::agent {
namespace {

constexpr std::uint16_t dns_port = 53;

bool raise_loopback() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
  return socket.valid() && ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
}

struct Sockets {
  Fd sink;
  Fd sender;
  int error = 0;
};

Sockets make_sockets() {
  Sockets sockets;
  sockets.sink = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockets.sender = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(dns_port);
  ::inet_pton(AF_INET, LoopbackLookups::address, &to.sin_addr);
  const auto* address = reinterpret_cast<const sockaddr*>(&to);
  const bool works = sockets.sink.valid() && sockets.sender.valid() &&
                     ::bind(sockets.sink.get(), address, sizeof to) == 0 &&
                     ::connect(sockets.sender.get(), address, sizeof to) == 0;
  sockets.error = works ? 0 : errno;
  return sockets;
}

void add_number(std::string& message, std::uint16_t number) {
  message += static_cast<char>(number >> 8);
  message += static_cast<char>(number & 0xff);
}

}  // namespace

Result<LoopbackLookups> LoopbackLookups::open() {
  Sockets sockets;
  // A socket stays in the namespace that it was made in, and keeps it: the thread may end.
  // a namespace of a thread's own; it needs the caller's capabilities for that, and is over at once
  const auto made = in_own_thread([&sockets] {
    if (::unshare(CLONE_NEWNET) == 0 && !raise_loopback()) {
      sockets.error = errno;
      return;
    }
    sockets = make_sockets();
  });
  if (!made) return fail(made.error());
  if (sockets.error != 0) {
    return fail(ErrorClass::runtime, "opening a sink for the lookups on {} port {}: {}", LoopbackLookups::address,
                dns_port, errno_text(sockets.error));
  }
  return LoopbackLookups(std::move(sockets.sink), std::move(sockets.sender));
}

Result<void> LoopbackLookups::send(std::uint16_t id, std::string_view wire, std::uint16_t record_type) const {
  constexpr std::uint16_t internet = 1;
  std::string message;
  for (const std::uint16_t number :
       {id, dns_recursion_desired, std::uint16_t{1}, std::uint16_t{0}, std::uint16_t{0}, std::uint16_t{0}}) {
    add_number(message, number);
  }
  message += wire;
  add_number(message, record_type);
  add_number(message, internet);
  if (::send(sender_.get(), message.data(), message.size(), 0) < 0) {
    return fail(ErrorClass::runtime, "sending a lookup to the sink on {}: {}", LoopbackLookups::address,
                errno_text(errno));
  }
  std::array<char, 512> unread{};
  while (::recv(sink_.get(), unread.data(), unread.size(), 0) > 0) {
  }
  return {};
}

}  // namespace nslookout::agent
