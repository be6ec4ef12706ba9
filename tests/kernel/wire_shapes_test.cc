// Sends every shape of the table to a DNS port with plain sendto, and compares what comes out of the kernel.
#include "wire_shapes.h"
#include "base/dns_name.h"
#include "child.h"
#include "harness.h"
#include "sender.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

std::string text(const std::string& wire, unsigned type, unsigned record_class) {
  return fmt::format("{} type={} class={}", wire_to_presentation(wire), type, record_class);
}

std::vector<std::string> texts(const std::vector<Wanted>& wanted) {
  std::vector<std::string> all;
  for (const auto& one : wanted) all.push_back(text(one.name, one.type, one.record_class));
  return all;
}

std::vector<std::string> texts(const std::vector<nsl_candidate>& candidates) {
  std::vector<std::string> all;
  for (const auto& one : candidates) all.push_back(text(name_of(one), one.record_type, one.record_class));
  return all;
}

class WireShapes : public SensorSuite {
 protected:
  // One test for many shapes: the trace names the shape with each failure.
  static void send_all(const std::vector<WireShape>& shapes) {
    for (const auto& shape : shapes) {
      SCOPED_TRACE(shape.name);
      send_one(shape);
      if (HasFatalFailure()) return;
    }
  }

 private:
  static void send_one(const WireShape& shape) {
    auto listed = shape.listed;
    if (listed.empty()) listed.push_back(zone_entry());
    NSL_ASSERT_OK(harness().list(listed, shape.every_query));
    const auto before = harness().counters();
    const auto run = run_child("sender", [&] { return send_sendto(server_address(AddressKind::v4), shape.datagrams); });
    NSL_ASSERT_OK(run.result);
    const auto candidates = harness().collect();
    NSL_ASSERT_OK(candidates);
    // The order of questions and of datagrams is the order of candidates.
    EXPECT_EQ(texts(*candidates), texts(shape.wanted));
    const auto after = harness().counters();
    EXPECT_GE(after.at(NSL_COUNT_not_dns), before.at(NSL_COUNT_not_dns) + shape.not_dns_at_least);
    for (const auto& one : *candidates) {
      EXPECT_EQ(one.sender.process.tgid, static_cast<std::uint32_t>(run.pid));
      EXPECT_EQ((one.flags & NSL_FLAG_MORE_QUESTIONS) != 0, one.question_count > 1);
    }
    const bool as_expected = texts(*candidates) == texts(shape.wanted);
    report_case("wire_" + shape.name, !as_expected ? "failed" : shape.wanted.empty() ? "none" : "seen");
  }
};

TEST_F(WireShapes, Names) { send_all(name_shapes()); }
TEST_F(WireShapes, Headers) { send_all(header_shapes()); }
TEST_F(WireShapes, Malformed) { send_all(malformed_shapes()); }
TEST_F(WireShapes, ForeignProtocols) { send_all(foreign_shapes()); }

TEST_F(WireShapes, EveryFieldOfTheHeaderIsCarried) {
  const auto name = unique_name("fields");
  const Message message{.id = 0xbeef, .flags = 0x0130, .questions = {{.name = name, .type = type_aaaa}}};
  const auto run =
      run_child("sender", [&] { return send_sendto(server_address(AddressKind::v4), {message.octets()}); });
  NSL_ASSERT_OK(run.result);
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  ASSERT_EQ(candidates->size(), 1U);
  const auto& one = candidates->front();
  EXPECT_EQ(one.id, 0xbeef);
  EXPECT_EQ(one.dns_flags, 0x0130);
  EXPECT_EQ(one.question_count, 1);
  EXPECT_EQ(one.wire_port, 53);
  EXPECT_EQ(one.reasons, NSL_REASON_NAME);
  EXPECT_EQ(one.generation, harness().generation());
}

// With every_query the root query comes out as the one zero octet it is.
TEST_F(WireShapes, RootQueryUnderEveryQuery) {
  NSL_ASSERT_OK(harness().list({zone_entry()}, true));
  const auto run =
      run_child("sender", [&] { return send_sendto(server_address(AddressKind::v4), {query(wire_name("."), 2)}); });
  NSL_ASSERT_OK(run.result);
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  ASSERT_EQ(texts(*candidates), std::vector<std::string>{text(wire_name("."), 2, 1)});
  EXPECT_EQ(candidates->front().name_length, 1);
  EXPECT_EQ(candidates->front().reasons & NSL_REASON_EVERY_QUERY, NSL_REASON_EVERY_QUERY);
}

// ---- the list of ports

struct PortCase {
  std::string name;
  std::uint16_t sent_to;
  bool comes;
};

void check_ports(const std::vector<std::uint16_t>& configured, const std::vector<PortCase>& rows) {
  auto harness = Harness::start({.ports = configured});
  NSL_ASSERT_OK(harness);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto name = unique_name("port");
    const auto server = server_address(AddressKind::v4, row.sent_to);
    const auto before = harness->counters();
    const auto run = run_child("sender", [&] { return send_sendto(server, {query(name), random_octets(200, 7)}); });
    NSL_ASSERT_OK(run.result);
    const auto candidates = harness->collect();
    NSL_ASSERT_OK(candidates);
    std::vector<Expected> expected;
    if (row.comes) expected.push_back({.name = name, .port = row.sent_to, .pid = run.pid, .tid = run.pid});
    const auto visibility = row.comes ? seen_everywhere : PerBackend{unseen(), unseen(), unseen()};
    check_case(row.name, visibility, expected, *candidates, before, harness->counters());
  }
}

// 13568 is 53 with its octets swapped.
TEST(Ports, OneByDefault) {
  check_ports({53}, {{"port_5353_not_configured", 5353, false}, {"port_13568_not_configured", 13568, false}});
}

TEST(Ports, EightAtMost) {
  check_ports({5353, 5355, 53, 5301, 5302, 5303, 5304, 65535}, {{"port_first_of_eight", 5353, true},
                                                                {"port_second_of_eight", 5355, true},
                                                                {"port_53_not_the_first", 53, true},
                                                                {"port_eighth_of_eight", 65535, true},
                                                                {"port_none_of_eight", 5305, false}});
}

}  // namespace
}  // namespace nslookout::kernel_test
