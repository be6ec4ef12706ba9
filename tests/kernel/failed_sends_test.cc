// A send that fails is no lookup; and what was noted of a socket for one send says nothing about the next.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "child.h"
#include "harness.h"
#include "sender.h"
#include "sink.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

const SocketAddress& server() {
  static const auto address = server_address(AddressKind::v4);
  return address;
}

// Succeeds when the call failed with this errno.
Result<void> fails_with(int expected, ssize_t sent) {
  if (sent < 0 && errno == expected) return {};
  return fail(ErrorClass::runtime, "wanted {}, got {}", errno_text(expected), sent < 0 ? errno_text(errno) : "success");
}

Result<void> fails_to(int expected, const SocketAddress& to, const std::string& payload) {
  const auto fd = open_socket(to, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  return fails_with(expected, ::sendto(fd->get(), payload.data(), payload.size(), 0, to.get(), to.length()));
}

Result<void> send_after_shutdown(const std::string& payload) {
  const auto fd = connect_socket(server(), SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  ::shutdown(fd->get(), SHUT_WR);
  return fails_with(EPIPE, ::send(fd->get(), payload.data(), payload.size(), MSG_NOSIGNAL));
}

Result<void> send_unconnected(const std::string& payload) {
  const auto fd = open_socket(server(), SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  return fails_with(EDESTADDRREQ, ::send(fd->get(), payload.data(), payload.size(), 0));
}

Result<void> send_on_closed(const std::string& payload) {
  auto fd = connect_socket(server(), SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  const int number = fd->get();
  fd->reset();
  return fails_with(EBADF, ::send(number, payload.data(), payload.size(), 0));
}

// The whole question is readable, what follows it is not.
Result<void> send_unreadable_tail(int fd, const std::string& payload) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  auto* memory =
      static_cast<char*>(::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (memory == MAP_FAILED || ::mprotect(memory + page, page, PROT_NONE) != 0) return fail_errno("mmap");
  auto* start = memory + page - payload.size();
  std::memcpy(start, payload.data(), payload.size());
  const auto sent = ::sendto(fd, start, payload.size() + 32, 0, server().get(), server().length());
  const auto failed = fails_with(EFAULT, sent);
  ::munmap(memory, 2 * page);
  return failed;
}

class FailedSends : public SensorSuite {
 protected:
  static void check(const std::string& name, const ChildBody& body, std::vector<Expected> expected = {}) {
    SCOPED_TRACE(name);
    const auto before = harness().counters();
    const auto run = run_child("sender", body);
    NSL_ASSERT_OK(run.result);
    const auto candidates = harness().collect();
    NSL_ASSERT_OK(candidates);
    for (auto& one : expected) one.pid = one.tid = run.pid;
    const PerBackend none{unseen(), unseen(), unseen()};
    check_case(name, expected.empty() ? none : seen_everywhere, expected, *candidates, before, harness().counters());
  }
};

TEST_F(FailedSends, AreNoLookups) {
  const auto payload = query(unique_name("failed"));
  const auto huge = payload + std::string(70'000, 'x');
  const SocketAddress nowhere(AF_INET, "203.0.113.1", 53);
  const SocketAddress nowhere6(AF_INET6, "2001:db8::1", 53);
  const SocketAddress broadcast(AF_INET, "127.255.255.255", 53);
  check("failed_network_unreachable", [&] { return fails_to(ENETUNREACH, nowhere, payload); });
  check("failed_network_unreachable_v6", [&] { return fails_to(ENETUNREACH, nowhere6, payload); });
  check("failed_message_too_long", [&] { return fails_to(EMSGSIZE, server(), huge); });
  check("failed_message_too_long_v6", [&] { return fails_to(EMSGSIZE, server_address(AddressKind::v6), huge); });
  check("failed_broadcast_not_permitted", [&] { return fails_to(EACCES, broadcast, payload); });
  check("failed_after_shutdown", [&] { return send_after_shutdown(payload); });
  check("failed_no_destination", [&] { return send_unconnected(payload); });
  check("failed_closed_descriptor", [&] { return send_on_closed(payload); });
  check("failed_unreadable_tail", [&]() -> Result<void> {
    const auto fd = open_socket(server(), SOCK_DGRAM);
    if (!fd) return fail(fd.error());
    return send_unreadable_tail(fd->get(), payload);
  });
}

// A send that succeeds, and of which nothing leaves.
TEST_F(FailedSends, ProbeIsNoLookup) {
  const auto payload = query(unique_name("probe"));
  for (const auto kind : {AddressKind::v4, AddressKind::v6}) {
    check(kind == AddressKind::v4 ? "probe" : "probe_v6", [&]() -> Result<void> {
      const auto to = server_address(kind);
      const auto fd = open_socket(to, SOCK_DGRAM);
      if (!fd) return fail(fd.error());
      const auto sent = ::sendto(fd->get(), payload.data(), payload.size(), msg_probe, to.get(), to.length());
      return check_sent(sent, payload.size(), "sendto(MSG_PROBE)");
    });
  }
}

// Nobody listens: the first query leaves and is refused by the network, the second is refused by the socket.
TEST_F(FailedSends, RefusedSecondOfTwo) {
  const auto first = unique_name("refused");
  const auto second = unique_name("refused");
  check("failed_connection_refused",
        [&]() -> Result<void> {
          const auto fd = connect_socket(server(), SOCK_DGRAM);
          if (!fd) return fail(fd.error());
          if (auto sent = send_on(fd->get(), query(first)); !sent) return sent;
          if (!wait_readable(fd->get())) return fail(ErrorClass::runtime, "no refusal came");
          const auto payload = query(second);
          return fails_with(ECONNREFUSED, ::send(fd->get(), payload.data(), payload.size(), 0));
        },
        {{.name = first}});
}

TEST_F(FailedSends, SuccessAfterFailureIsSeenOnce) {
  const auto name = unique_name("recovered");
  check("success_after_failure",
        [&]() -> Result<void> {
          const auto fd = open_socket(server(), SOCK_DGRAM);
          if (!fd) return fail(fd.error());
          if (auto failed = send_unreadable_tail(fd->get(), query(unique_name("lost"))); !failed) return failed;
          return send_to_on(fd->get(), server(), query(name));
        },
        {{.name = name}});
}

// ---- one socket, several servers

TEST_F(FailedSends, SendtoThenConnectedToAnotherServer) {
  const auto first = unique_name("named");
  const auto second = unique_name("connected");
  check("sendto_then_connect_elsewhere",
        [&]() -> Result<void> {
          const auto fd = open_socket(server(), SOCK_DGRAM);
          if (!fd) return fail(fd.error());
          if (auto sent = send_to_on(fd->get(), server(), query(first)); !sent) return sent;
          const SocketAddress other(AF_INET, "127.0.0.78", 53);
          if (::connect(fd->get(), other.get(), other.length()) != 0) return fail_errno("connect");
          return send_on(fd->get(), query(second));
        },
        {{.name = first}, {.name = second, .server = "127.0.0.78"}});
}

TEST_F(FailedSends, ConnectedThenSendtoAnotherServer) {
  const auto first = unique_name("connected");
  const auto second = unique_name("named");
  const auto third = unique_name("connected");
  check("connect_then_sendto_elsewhere",
        [&]() -> Result<void> {
          const SocketAddress other(AF_INET, "127.0.0.78", 53);
          const auto listener = UdpSink::open(server());
          if (!listener) return fail(listener.error());
          const auto fd = connect_socket(server(), SOCK_DGRAM);
          if (!fd) return fail(fd.error());
          if (auto sent = send_on(fd->get(), query(first)); !sent) return sent;
          if (auto sent = send_to_on(fd->get(), other, query(second)); !sent) return sent;
          return send_on(fd->get(), query(third));
        },
        {{.name = first}, {.name = second, .server = "127.0.0.78"}, {.name = third}});
}

// The same octets to a port that is not DNS, on a socket that asked a DNS server before.
TEST_F(FailedSends, AnotherPortOnTheSameSocketIsNoDns) {
  const auto first = unique_name("dns");
  const auto second = unique_name("notdns");
  check("sendto_dns_then_sendto_other_port",
        [&]() -> Result<void> {
          const auto fd = open_socket(server(), SOCK_DGRAM);
          if (!fd) return fail(fd.error());
          if (auto sent = send_to_on(fd->get(), server(), query(first)); !sent) return sent;
          return send_to_on(fd->get(), server_address(AddressKind::v4, 5300), query(second));
        },
        {{.name = first}});
  const auto third = unique_name("dns");
  check("sendto_dns_then_connect_other_port",
        [&]() -> Result<void> {
          const auto fd = open_socket(server(), SOCK_DGRAM);
          if (!fd) return fail(fd.error());
          if (auto sent = send_to_on(fd->get(), server(), query(third)); !sent) return sent;
          const auto other = server_address(AddressKind::v4, 5300);
          if (::connect(fd->get(), other.get(), other.length()) != 0) return fail_errno("connect");
          return send_on(fd->get(), query(second));
        },
        {{.name = third}});
  const auto fourth = unique_name("dns");
  check("connect_dns_then_sendto_other_port",
        [&]() -> Result<void> {
          const auto listener = UdpSink::open(server());
          if (!listener) return fail(listener.error());
          const auto fd = connect_socket(server(), SOCK_DGRAM);
          if (!fd) return fail(fd.error());
          if (auto sent = send_on(fd->get(), query(fourth)); !sent) return sent;
          return send_to_on(fd->get(), server_address(AddressKind::v4, 5300), query(second));
        },
        {{.name = fourth}});
  const auto fifth = unique_name("dns");
  check("connect_other_port_then_sendto_dns",
        [&]() -> Result<void> {
          const auto other = server_address(AddressKind::v4, 5300);
          const auto listener = UdpSink::open(other);
          if (!listener) return fail(listener.error());
          const auto fd = connect_socket(other, SOCK_DGRAM);
          if (!fd) return fail(fd.error());
          if (auto sent = send_to_on(fd->get(), server(), query(fifth)); !sent) return sent;
          return send_on(fd->get(), query(second));
        },
        {{.name = fifth}});
}

}  // namespace
}  // namespace nslookout::kernel_test
