// Docker's embedded resolver: the process asks 127.0.0.11:53, a NAT turns that into another port before egress.
// The question is seen, and the server is the one that the process asked. Needs nft; the rules live and die with the
// network namespace of the sending child.
#include "child.h"
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
    "}\n";

const SocketAddress asked(AF_INET, "127.0.0.11", 53);
const SocketAddress real(AF_INET, "127.0.0.11", 5341);

class Nat : public SensorSuite {
 protected:
  // body sends inside the namespace with the rules.
  static void check(const std::string& name, const std::string& wire, nsl_transport transport, const ChildBody& body) {
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
    const std::vector<Expected> expected = {{.name = wire,
                                             .transport = static_cast<std::uint8_t>(transport),
                                             .server = "127.0.0.11",
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
