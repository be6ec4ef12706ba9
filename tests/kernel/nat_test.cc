// Docker's embedded resolver: the process asks 127.0.0.11:53, a NAT turns that into another port before egress.
// The question is seen, and the server is the one that the process asked. Needs nft; the rules live and die with the
// network namespace of the sending child.
#include <functional>

#include "child.h"
#include "control_messages.h"
#include "harness.h"
#include "network_namespace.h"
#include "sender.h"
#include "sink.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

constexpr const char* nat_rules =
    "table ip embedded_resolver {\n"
    "  chain output {\n"
    "    type nat hook output priority -100;\n"
    "    ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:5341\n"
    "    ip daddr 127.0.0.11 tcp dport 53 dnat to 127.0.0.11:5341\n"
    "  }\n"
    "}\n"
    "table ip6 embedded_resolver {\n"
    "  chain output {\n"
    "    type nat hook output priority -100;\n"
    "    ip6 daddr ::1 udp dport 53 dnat to [::1]:5341\n"
    "  }\n"
    "}\n";

const SocketAddress asked(AF_INET, "127.0.0.11", 53);
const SocketAddress real(AF_INET, "127.0.0.11", 5341);
const SocketAddress unreachable(AF_INET, "203.0.113.1", 9);

class Nat : public SensorSuite {
 protected:
  // body sends inside the namespace with the rules.
  static void check(const std::string& name, const std::string& wire, nsl_transport transport, const ChildBody& body,
                    AddressKind address = AddressKind::v4) {
    const auto before = harness().counters();
    const auto run = run_child("sender", [&]() -> Result<void> {
      if (auto entered = enter_own_network_namespace(); !entered) return entered;
      if (auto loaded = load_nft_script(nat_rules); !loaded) return loaded;
      return body();
    });
    NSL_REQUIRE_SENT(name, run.result);
    const auto candidates = harness().collect();
    NSL_ASSERT_OK(candidates);
    const bool on_egress = backend_under_test() == kernel::Backend::cgroup;
    const bool v6 = address == AddressKind::v6;
    const std::vector<Expected> expected = {{.name = wire,
                                             .family = family_of(address),
                                             .transport = static_cast<std::uint8_t>(transport),
                                             .server = v6 ? "::1" : "127.0.0.11",
                                             .pid = run.pid,
                                             .tid = run.pid,
                                             .before_nat = on_egress}};
    check_case(name, transport == NSL_TCP ? egress_only() : seen_everywhere, expected, *candidates, before,
               harness().counters());
    if (on_egress) {
      ASSERT_EQ(candidates->size(), 1U);
      EXPECT_EQ(candidates->front().wire_port, 5341);
    }
  }
};

Result<void> arrived(const std::vector<std::string>& came, const std::string& payload) {
  if (came == std::vector<std::string>{payload}) return {};
  return fail(ErrorClass::runtime, "the resolver behind the NAT did not get the query");
}

TEST_F(Nat, Sendto) {
  const auto wire = unique_name("nat");
  check("nat_sendto", wire, NSL_UDP, [&]() -> Result<void> {
    const auto sink = UdpSink::open(real);
    if (!sink) return fail(sink.error());
    if (auto sent = send_sendto(asked, {query(wire)}); !sent) return sent;
    return arrived(sink->receive(1), query(wire));
  });
}

TEST_F(Nat, ConnectedSend) {
  const auto wire = unique_name("nat");
  check("nat_connected_send", wire, NSL_UDP, [&]() -> Result<void> {
    const auto sink = UdpSink::open(real);
    if (!sink) return fail(sink.error());
    if (auto sent = send_connected_send(asked, {query(wire)}); !sent) return sent;
    return arrived(sink->receive(1), query(wire));
  });
}

// A control message makes the kernel show the send to the sensor, with an address of zero octets: there is none.
TEST_F(Nat, ConnectedSendWithControlMessage) {
  const auto wire = unique_name("nat");
  check("nat_connected_send_with_control_message", wire, NSL_UDP, [&]() -> Result<void> {
    const auto sink = UdpSink::open(real);
    if (!sink) return fail(sink.error());
    const auto fd = connect_socket(asked, SOCK_DGRAM);
    if (!fd) return fail(fd.error());
    const auto payload = query(wire);
    ControlMessages controls;
    controls.add_int(IPPROTO_IP, IP_TOS, 0);
    if (auto sent = controls.send(fd->get(), nullptr, payload, "sendmsg(IP_TOS)"); !sent) return sent;
    return arrived(sink->receive(1), payload);
  });
}

// What a socket was told last is not always where its next packet goes. (Over IPv4 a corked datagram does go there.)
TEST_F(Nat, CorkedThenConnectedElsewhere) {
  const auto wire = unique_name("nat");
  const SocketAddress asked6(AF_INET6, "::1", 53);
  const SocketAddress elsewhere6(AF_INET6, "::1", 9);
  const auto body = [&]() -> Result<void> {
    const auto sink = UdpSink::open(SocketAddress(AF_INET6, "::1", 5341));
    if (!sink) return fail(sink.error());
    const auto fd = open_socket(asked6, SOCK_DGRAM);
    if (!fd) return fail(fd.error());
    const auto payload = query(wire);
    const auto corked = ::sendto(fd->get(), payload.data(), payload.size(), MSG_MORE, asked6.get(), asked6.length());
    if (auto sent = check_sent(corked, payload.size(), "sendto(MSG_MORE)"); !sent) return sent;
    if (::connect(fd->get(), elsewhere6.get(), elsewhere6.length()) != 0) return fail_errno("connect");
    if (auto sent = send_on(fd->get(), ""); !sent) return sent;
    return arrived(sink->receive(1), payload);
  };
  check("nat_corked_then_connected_elsewhere", wire, NSL_UDP, body, AddressKind::v6);
}

// fails: what the connected socket tries in vain before it sends.
ChildBody connected_send_after(const std::string& wire, const std::function<bool(int fd)>& fails) {
  return [=]() -> Result<void> {
    const auto sink = UdpSink::open(real);
    if (!sink) return fail(sink.error());
    const auto fd = connect_socket(asked, SOCK_DGRAM);
    if (!fd) return fail(fd.error());
    if (!fails(fd->get())) return fail(ErrorClass::runtime, "a send or a connect to nowhere did not fail");
    if (auto sent = send_on(fd->get(), query(wire)); !sent) return sent;
    return arrived(sink->receive(1), query(wire));
  };
}

TEST_F(Nat, ConnectedSendAfterASendElsewhereFailed) {
  const auto wire = unique_name("nat");
  check("nat_connected_send_after_failed_send", wire, NSL_UDP,
        connected_send_after(wire, [](int fd) { return !send_to_on(fd, unreachable, "x"); }));
}

TEST_F(Nat, ConnectedSendAfterAConnectElsewhereFailed) {
  const auto wire = unique_name("nat");
  check("nat_connected_send_after_failed_connect", wire, NSL_UDP,
        connected_send_after(wire, [](int fd) { return ::connect(fd, unreachable.get(), unreachable.length()) != 0; }));
}

TEST_F(Nat, Tcp) {
  const auto wire = unique_name("nat");
  check("nat_tcp", wire, NSL_TCP, [&]() -> Result<void> {
    const auto sink = TcpSink::open(real);
    if (!sink) return fail(sink.error());
    const auto stream = with_length_prefix(query(wire));
    if (auto sent = send_stream(asked, {stream}); !sent) return sent;
    const auto came = sink->receive();
    if (!came) return fail(came.error());
    return arrived({*came}, stream);
  });
}

}  // namespace
}  // namespace nslookout::kernel_test
