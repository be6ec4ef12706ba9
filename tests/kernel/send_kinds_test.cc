// Every way of sending a datagram: it is seen exactly once, whole, with the thread-group id of the process that sent
// it (DESIGN section 3; field cases 41 to 54). One table; each row runs twice: SenderSelftest proves the sender against
// the sink alone, SendKinds puts the sensor beside it.
#include <ostream>

#include "child.h"
#include "harness.h"
#include "sender.h"
#include "sink.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

enum class SentBy {
  child,        // its only thread
  ring_thread,  // an io_uring worker: a thread of the child since Linux 5.12, before that a kernel thread that borrowed
                // the child's memory; the process is the child either way
};

struct SendCase {
  std::string name;
  SendFunction send;
  AddressKind address = AddressKind::v4;
  std::size_t queries = 1;
  PerBackend visibility = seen_everywhere;
  SentBy sent_by = SentBy::child;
};

void PrintTo(const SendCase& row, std::ostream* out) { *out << row.name; }

// A payload's name starts 13 octets in; 20 octets in is the middle of a label for every name used here.
constexpr std::size_t header_end = NSL_DNS_HEADER;
constexpr std::size_t mid_label = 20;

// fentry and kprobe see the calls of udp_sendmsg; what is put together by several of them, or handed over as pages, is
// either read by the backend or counted.
constexpr PerBackend by_parts{seen, seen_or(NSL_COUNT_payload_unreadable), seen_or(NSL_COUNT_payload_unreadable)};

std::vector<SendCase> send_cases() {
  constexpr auto v6 = AddressKind::v6;
  constexpr auto mapped = AddressKind::v4_mapped;
  return {
      {.name = "sendto", .send = send_sendto},
      {.name = "sendto_v6", .send = send_sendto, .address = v6},
      {.name = "sendto_v4_mapped", .send = send_sendto, .address = mapped},
      {.name = "connect_send", .send = send_connected_send},
      {.name = "connect_send_v6", .send = send_connected_send, .address = v6},
      {.name = "connect_send_v4_mapped", .send = send_connected_send, .address = mapped},
      {.name = "connect_write", .send = send_connected_write},
      {.name = "connect_write_v6", .send = send_connected_write, .address = v6},
      {.name = "connect_writev", .send = send_connected_writev},
      {.name = "two_queries_one_socket", .send = send_connected_send, .queries = 2},
      {.name = "dual_stack_socket", .send = send_dual_stack, .address = mapped, .queries = 2},
      {.name = "sendmsg", .send = send_sendmsg},
      {.name = "sendmsg_v6", .send = send_sendmsg, .address = v6},
      {.name = "sendmsg_v4_mapped", .send = send_sendmsg, .address = mapped},
      {.name = "sendmsg_header_name_tail", .send = send_sendmsg_cut_at({header_end, header_end + 30})},
      {.name = "sendmsg_mid_label", .send = send_sendmsg_cut_at({mid_label})},
      {.name = "sendmsg_mid_header", .send = send_sendmsg_cut_at({5})},
      {.name = "sendmsg_empty_first", .send = send_sendmsg_cut_at({0})},
      {.name = "sendmsg_empty_among",
       .send = send_sendmsg_cut_at({0, 0, header_end, header_end, mid_label, mid_label})},
      {.name = "sendmsg_octet_each", .send = send_sendmsg_octet_each},
      {.name = "sendmsg_octet_each_v6", .send = send_sendmsg_octet_each, .address = v6},
      {.name = "sendmmsg_2", .send = send_sendmmsg, .queries = 2},
      {.name = "sendmmsg_8", .send = send_sendmmsg, .queries = 8},
      {.name = "sendmmsg_8_v6", .send = send_sendmmsg, .address = v6, .queries = 8},
      {.name = "io_uring_send", .send = send_io_uring_send(RingMode::plain)},
      {.name = "io_uring_sendmsg", .send = send_io_uring_sendmsg(RingMode::plain)},
      {.name = "io_uring_send_async",
       .send = send_io_uring_send(RingMode::forced_async),
       .sent_by = SentBy::ring_thread},
      {.name = "io_uring_sendmsg_async",
       .send = send_io_uring_sendmsg(RingMode::forced_async),
       .sent_by = SentBy::ring_thread},
      {.name = "io_uring_send_sqpoll",
       .send = send_io_uring_send(RingMode::kernel_polled),
       .sent_by = SentBy::ring_thread},
      {.name = "io_uring_sendmsg_sqpoll",
       .send = send_io_uring_sendmsg(RingMode::kernel_polled),
       .sent_by = SentBy::ring_thread},
      {.name = "msg_more_header_then_name", .send = send_more_after(header_end), .visibility = by_parts},
      {.name = "msg_more_mid_label", .send = send_more_after(mid_label), .visibility = by_parts},
      {.name = "msg_more_mid_label_v6", .send = send_more_after(mid_label), .address = v6, .visibility = by_parts},
      {.name = "udp_cork_flushed_by_option", .send = send_corked_flushed_by_option, .visibility = by_parts},
      {.name = "gso_by_option", .send = send_gso_by_option, .queries = 5},
      {.name = "gso_by_option_v6", .send = send_gso_by_option, .address = v6, .queries = 5},
      {.name = "gso_by_control_message", .send = send_gso_by_control_message, .queries = 3},
      {.name = "unspecified_family", .send = send_to_unspecified_family},
      {.name = "unspecified_family_v6", .send = send_to_unspecified_family, .address = v6},
      {.name = "msg_more_rest_nameless", .send = send_named_then(Rest::nameless)},
      {.name = "msg_more_rest_nameless_v6", .send = send_named_then(Rest::nameless), .address = v6},
      {.name = "msg_more_rest_nameless_v4_mapped", .send = send_named_then(Rest::nameless), .address = mapped},
      {.name = "msg_more_rest_elsewhere", .send = send_named_then(Rest::named_elsewhere)},
      {.name = "msg_more_rest_elsewhere_v6", .send = send_named_then(Rest::named_elsewhere), .address = v6},
      {.name = "msg_more_rest_elsewhere_v4_mapped", .send = send_named_then(Rest::named_elsewhere), .address = mapped},
      {.name = "msg_more_failed_send_between", .send = send_named_then(Rest::after_failed_send)},
      {.name = "msg_more_failed_send_between_v6", .send = send_named_then(Rest::after_failed_send), .address = v6},
      {.name = "msg_more_many_sockets_between", .send = send_named_then(Rest::after_many_others)},
      {.name = "msg_more_many_begun_between", .send = send_named_then(Rest::after_many_begun), .visibility = by_parts},
      {.name = "msg_more_probe_between", .send = send_named_then(Rest::after_probe)},
      {.name = "msg_more_probe_between_v6", .send = send_named_then(Rest::after_probe), .address = v6},
      {.name = "gso_larger_than_the_pieces", .send = send_gso_in_pieces(1400, mid_label)},
      {.name = "gso_larger_than_the_pieces_v6", .send = send_gso_in_pieces(1400, mid_label), .address = v6},
      {.name = "gso_pieces_cut_in_first", .send = send_gso_in_pieces(0, mid_label), .queries = 4},
      {.name = "gso_pieces_cut_in_third", .send = send_gso_in_pieces(0, 150), .queries = 4},
      {.name = "gso_pieces_cut_in_third_v6", .send = send_gso_in_pieces(0, 150), .address = v6, .queries = 4},
      {.name = "gso_behind_four_controls", .send = send_gso_behind(Control::four_tos), .queries = 2},
      {.name = "gso_behind_larger_gso", .send = send_gso_behind(Control::larger_segment), .queries = 2},
      {.name = "gso_behind_many_controls", .send = send_gso_behind(Control::many_ignored), .queries = 2},
      {.name = "zerocopy", .send = send_zerocopy, .queries = 2},
      {.name = "zerocopy_v6", .send = send_zerocopy, .address = v6},
      {.name = "sendfile", .send = send_sendfile, .visibility = by_parts},
      {.name = "splice", .send = send_splice, .visibility = by_parts},
      {.name = "splice_v6", .send = send_splice, .address = v6, .visibility = by_parts},
      {.name = "raw_ip_socket", .send = send_raw_ip, .visibility = egress_only()},
      {.name = "raw_ip_socket_udp_header_in_two_parts", .send = send_raw_ip_in_two_parts, .visibility = egress_only()},
      {.name = "raw_ipv6_socket", .send = send_raw_ipv6_behind(0), .address = v6, .visibility = egress_only()},
      {.name = "raw_ipv6_six_headers", .send = send_raw_ipv6_behind(6), .address = v6, .visibility = egress_only()},
      {.name = "raw_ipv6_seven_headers",
       .send = send_raw_ipv6_behind(7),
       .address = v6,
       .visibility = {unseen(NSL_COUNT_payload_unreadable), unseen(), unseen()}},
      {.name = "destination_options_of_2040_octets", .send = send_behind_long_options, .address = v6},
      {.name = "packet_socket", .send = send_packet_socket, .visibility = {unseen(), unseen(), unseen()}},
  };
}

Payloads queries_for(const std::vector<std::string>& names) {
  Payloads payloads;
  for (const auto& name : names) payloads.push_back(query(name));
  return payloads;
}

// Equal lengths, as GSO wants them: the numbers in the names have two digits for every case.
std::vector<std::string> names_for(const SendCase& row) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < row.queries; ++i) {
    names.push_back(wire_name(fmt::format("q{:02}.{}.{}", i, row.name, zone())));
  }
  return names;
}

struct Sinks {
  UdpSink v4;
  UdpSink v6;

  static Result<Sinks> open() {
    auto v4 = UdpSink::open(server_address(AddressKind::v4));
    if (!v4) return fail(v4.error());
    auto v6 = UdpSink::open(server_address(AddressKind::v6));
    if (!v6) return fail(v6.error());
    return Sinks{std::move(*v4), std::move(*v6)};
  }

  [[nodiscard]] Payloads receive(const SendCase& row, std::size_t expected) const {
    if (row.name == "dual_stack_socket") {
      auto all = v4.receive(expected / 2);
      for (auto& one : v6.receive(expected / 2)) all.push_back(std::move(one));
      return all;
    }
    return row.address == AddressKind::v6 ? v6.receive(expected) : v4.receive(expected);
  }
};

std::vector<Expected> expected_of(const SendCase& row, const std::vector<std::string>& names, pid_t sender) {
  std::vector<Expected> expected;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool to_v6 = row.address == AddressKind::v6 || (row.name == "dual_stack_socket" && i % 2 == 1);
    const auto kind = to_v6 ? AddressKind::v6 : AddressKind::v4;
    expected.push_back({.name = names[i],
                        .family = family_of(kind),
                        .server = server_text(kind),
                        .pid = sender,
                        .tid = row.sent_by == SentBy::child ? sender : 0});
  }
  return expected;
}

std::string test_name(const ::testing::TestParamInfo<SendCase>& row) { return row.param.name; }

class SenderSelftest : public ::testing::TestWithParam<SendCase> {};

TEST_P(SenderSelftest, DeliversEveryPayloadOnce) {
  const auto& row = GetParam();
  const auto sinks = Sinks::open();
  NSL_ASSERT_OK(sinks);
  const auto payloads = queries_for(names_for(row));
  const auto run = run_child("sender", [&] { return row.send(server_address(row.address), payloads); });
  if (!run.result && run.result.error().kind == ErrorClass::unsupported) GTEST_SKIP() << run.result.error().message;
  NSL_ASSERT_OK(run.result);
  EXPECT_EQ(sinks->receive(row, payloads.size()), payloads);
}

INSTANTIATE_TEST_SUITE_P(Table, SenderSelftest, ::testing::ValuesIn(send_cases()), test_name);

class SendKinds : public SensorSuite, public ::testing::WithParamInterface<SendCase> {};

TEST_P(SendKinds, SeenOnceWithItsSender) {
  const auto& row = GetParam();
  const auto sinks = Sinks::open();
  NSL_ASSERT_OK(sinks);
  const auto names = names_for(row);
  const auto payloads = queries_for(names);
  const auto before = harness().counters();
  const auto run = run_child("sender", [&] { return row.send(server_address(row.address), payloads); });
  NSL_REQUIRE_SENT(row.name, run.result);
  EXPECT_EQ(sinks->receive(row, payloads.size()), payloads);
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);

  const auto expected = expected_of(row, names, run.pid);
  check_case(row.name, row.visibility, expected, *candidates, before, harness().counters());
}

INSTANTIATE_TEST_SUITE_P(Table, SendKinds, ::testing::ValuesIn(send_cases()), test_name);

class SendLimits : public SensorSuite {};

// NSL_MESSAGES_MAX of one send are looked at, the rest is counted, not silently missed.
TEST_F(SendLimits, GsoBeyondTheLimitIsCounted) {
  constexpr std::size_t sent = NSL_MESSAGES_MAX + 8;
  SendCase row{.name = "gso_over_limit", .send = send_gso_by_option, .queries = sent};
  auto names = names_for(row);
  const auto before = harness().counters();
  const auto run = run_child("sender", [&] { return row.send(server_address(row.address), queries_for(names)); });
  NSL_REQUIRE_SENT(row.name, run.result);
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  const auto after = harness().counters();
  names.resize(NSL_MESSAGES_MAX);
  check_case(row.name, seen_everywhere, expected_of(row, names, run.pid), *candidates, before, after);
  EXPECT_EQ(after.at(NSL_COUNT_messages_over_limit) - before.at(NSL_COUNT_messages_over_limit), 8U);
}

// Sendmsg hooks set NSL_PENDING_MAX questions of one send aside, the rest is counted; the packets themselves have no
// such limit.
TEST_F(SendLimits, QuestionsBeyondTheLimitAreCounted) {
  constexpr std::size_t questions = 3;
  constexpr std::size_t set_aside = 64;
  const SendCase row{
      .name = "questions_over_limit", .send = send_gso_by_option, .queries = NSL_MESSAGES_MAX * questions};
  auto names = names_for(row);
  Payloads payloads;
  for (std::size_t i = 0; i < names.size(); i += questions) {
    payloads.push_back(Message{.questions = {{names[i]}, {names[i + 1]}, {names[i + 2]}}}.octets());
  }
  const auto before = harness().counters();
  const auto run = run_child("sender", [&] { return row.send(server_address(row.address), payloads); });
  NSL_REQUIRE_SENT(row.name, run.result);
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  const auto after = harness().counters();
  const bool all = backend_under_test() == kernel::Backend::cgroup;
  EXPECT_EQ(after.at(NSL_COUNT_pending_full) - before.at(NSL_COUNT_pending_full), all ? 0 : names.size() - set_aside);
  if (!all) names.resize(set_aside);
  check_case(row.name, seen_everywhere, expected_of(row, names, run.pid), *candidates, before, after);
}

}  // namespace
}  // namespace nslookout::kernel_test
