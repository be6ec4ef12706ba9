// DNS over TCP (RFC 1035 section 4.2.2, RFC 7766), which the cgroup backend alone sees. Each row is a stream in pieces,
// one write each: wherever it is cut, each question is seen once and whole (field cases 32 to 34).
#include <ostream>

#include "child.h"
#include "harness.h"
#include "sender.h"
#include "sink.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

struct TcpCase {
  std::string name;
  std::size_t messages = 1;
  std::vector<std::size_t> piece_ends = {};  // offsets into the stream; empty: one write
  bool octet_each = false;
  std::size_t padding = 0;  // octets behind each question, inside the message
  std::string before = {};  // octets ahead of the first message
  AddressKind address = AddressKind::v4;
};

void PrintTo(const TcpCase& row, std::ostream* out) { *out << row.name; }

std::vector<TcpCase> tcp_cases() {
  constexpr auto v6 = AddressKind::v6;
  return {
      {.name = "tcp_one_write"},
      {.name = "tcp_one_write_v6", .address = v6},
      {.name = "tcp_one_write_v4_mapped", .address = AddressKind::v4_mapped},
      {.name = "tcp_prefix_then_message", .piece_ends = {2}},
      {.name = "tcp_prefix_then_message_v6", .piece_ends = {2}, .address = v6},
      {.name = "tcp_two_messages_one_write", .messages = 2},
      {.name = "tcp_eight_messages_one_write", .messages = 8},
      {.name = "tcp_one_octet_then_the_rest", .piece_ends = {1}},
      {.name = "tcp_cut_in_the_header", .piece_ends = {7}},
      {.name = "tcp_cut_in_the_name", .piece_ends = {24}},
      {.name = "tcp_cut_before_the_last_octet", .piece_ends = {40}},
      {.name = "tcp_three_writes", .piece_ends = {9, 24}},
      {.name = "tcp_two_messages_cut_in_the_second", .messages = 2, .piece_ends = {100}},
      {.name = "tcp_three_messages_cut_at_odd_places", .messages = 3, .piece_ends = {1, 70, 71, 100, 150}},
      {.name = "tcp_octet_by_octet", .octet_each = true},
      {.name = "tcp_octet_by_octet_v6", .octet_each = true, .address = v6},
      {.name = "tcp_two_messages_octet_by_octet", .messages = 2, .octet_each = true},
      {.name = "tcp_padded_cut_in_the_name", .messages = 2, .piece_ends = {24}, .padding = 900},
      {.name = "tcp_padded_cut_in_the_padding", .messages = 2, .piece_ends = {300, 700}, .padding = 900},
      // messages that are no query are skipped like any other
      {.name = "tcp_behind_an_empty_message", .before = with_length_prefix("")},
      {.name = "tcp_behind_an_empty_message_of_its_own_write", .piece_ends = {2}, .before = with_length_prefix("")},
      {.name = "tcp_behind_one_octet", .before = with_length_prefix("x")},
      {.name = "tcp_behind_a_header", .before = with_length_prefix(Message{}.octets())},
      {.name = "tcp_behind_a_header_octet_by_octet",
       .octet_each = true,
       .before = with_length_prefix(Message{}.octets())},
  };
}

Payloads pieces_of(const std::string& stream, const TcpCase& row) {
  Payloads pieces;
  std::size_t from = 0;
  for (const auto end : row.piece_ends) {
    pieces.push_back(stream.substr(from, end - from));
    from = end;
  }
  if (!row.octet_each) {
    pieces.push_back(stream.substr(from));
    return pieces;
  }
  for (const char octet : stream) pieces.emplace_back(1, octet);
  return pieces;
}

std::string stream_of(const std::vector<std::string>& names, const TcpCase& row) {
  std::string stream = row.before;
  for (const auto& name : names) stream += with_length_prefix(query(name) + std::string(row.padding, 'p'));
  return stream;
}

std::vector<std::string> names_for(const TcpCase& row) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < row.messages; ++i) names.push_back(unique_name(row.name));
  return names;
}

std::string test_name(const ::testing::TestParamInfo<TcpCase>& row) { return row.param.name; }

class TcpSelftest : public ::testing::TestWithParam<TcpCase> {};

TEST_P(TcpSelftest, DeliversTheStream) {
  const auto& row = GetParam();
  const auto server = server_address(row.address);
  const auto sink = TcpSink::open(row.address == AddressKind::v6 ? server : server_address(AddressKind::v4));
  NSL_ASSERT_OK(sink);
  const auto stream = stream_of(names_for(row), row);
  const auto run = run_child("sender", [&] { return send_stream(server, pieces_of(stream, row)); });
  NSL_ASSERT_OK(run.result);
  const auto arrived = sink->receive();
  NSL_ASSERT_OK(arrived);
  EXPECT_EQ(*arrived, stream);
}

INSTANTIATE_TEST_SUITE_P(Table, TcpSelftest, ::testing::ValuesIn(tcp_cases()), test_name);

class Tcp : public SensorSuite, public ::testing::WithParamInterface<TcpCase> {};

TEST_P(Tcp, EachQuestionOnceOrCounted) {
  const auto& row = GetParam();
  const auto server = server_address(row.address);
  const auto sink = TcpSink::open(row.address == AddressKind::v6 ? server : server_address(AddressKind::v4));
  NSL_ASSERT_OK(sink);
  const auto names = names_for(row);
  const auto stream = stream_of(names, row);
  const auto before = harness().counters();
  const auto run = run_child("sender", [&] { return send_stream(server, pieces_of(stream, row)); });
  NSL_ASSERT_OK(run.result);
  // Everything has left once it has arrived.
  const auto arrived = sink->receive();
  NSL_ASSERT_OK(arrived);
  ASSERT_EQ(*arrived, stream);
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);

  const auto seen_at = row.address == AddressKind::v6 ? AddressKind::v6 : AddressKind::v4;
  std::vector<Expected> expected;
  for (const auto& name : names) {
    expected.push_back({.name = name,
                        .family = family_of(seen_at),
                        .transport = NSL_TCP,
                        .server = server_text(seen_at),
                        .pid = run.pid,
                        .tid = run.pid});
  }
  check_case(row.name, egress_only(), expected, *candidates, before, harness().counters());
}

class TcpStreams : public SensorSuite {
 protected:
  void SetUp() override {
    if (backend_under_test() != kernel::Backend::cgroup) GTEST_SKIP() << "the cgroup backend alone sees TCP";
    SensorSuite::SetUp();
  }
};

// What is looked at of one segment is bounded; what is behind is counted, and the stream is not lost.
TEST_F(TcpStreams, MessagesBehindTheLimitAreCounted) {
  constexpr std::size_t looked_at = 128;
  constexpr std::size_t behind = 300;
  const auto sink = TcpSink::open(server_address(AddressKind::v4));
  NSL_ASSERT_OK(sink);
  const auto many = unique_name("many");
  const auto cut = unique_name("cut");
  const auto last = unique_name("last");
  const auto one = with_length_prefix(query(many));
  const auto cut_one = with_length_prefix(query(cut));
  std::string first;
  for (std::size_t i = 0; i < looked_at + behind; ++i) first += one;
  first += cut_one.substr(0, 20);
  const auto before = harness().counters();
  const auto run = run_child("sender", [&] {
    return send_stream(server_address(AddressKind::v4), {first, cut_one.substr(20), with_length_prefix(query(last))});
  });
  NSL_ASSERT_OK(run.result);
  NSL_ASSERT_OK(sink->receive());
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  std::vector<Expected> expected(
      looked_at, {.name = many, .transport = NSL_TCP, .server = "127.0.0.77", .pid = run.pid, .tid = run.pid});
  for (const auto& name : {cut, last}) {
    expected.push_back(expected.front());
    expected.back().name = name;
  }
  const auto after = harness().counters();
  check_case("tcp_messages_behind_the_limit", egress_only(), expected, *candidates, before, after);
  EXPECT_EQ(after.at(NSL_COUNT_messages_over_limit) - before.at(NSL_COUNT_messages_over_limit), behind);
  EXPECT_EQ(after.at(NSL_COUNT_tcp_split), before.at(NSL_COUNT_tcp_split));
}

// Too many even to be counted: that is counted, and what is sent next is read again.
TEST_F(TcpStreams, ASegmentOfEmptyMessagesHidesNothingBehindIt) {
  const auto sink = TcpSink::open(server_address(AddressKind::v4));
  NSL_ASSERT_OK(sink);
  const auto name = unique_name("behind");
  const auto before = harness().counters();
  const auto run = run_child("sender", [&] {
    return send_stream(server_address(AddressKind::v4), {std::string(8192, '\0'), with_length_prefix(query(name))});
  });
  NSL_ASSERT_OK(run.result);
  NSL_ASSERT_OK(sink->receive());
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  const auto after = harness().counters();
  check_case("tcp_behind_thousands_of_empty_messages", egress_only(),
             {{.name = name, .transport = NSL_TCP, .server = "127.0.0.77", .pid = run.pid, .tid = run.pid}},
             *candidates, before, after);
  EXPECT_GT(after.at(NSL_COUNT_tcp_split), before.at(NSL_COUNT_tcp_split));
}

// Segments of a raw socket are of any connection, in any order: each is read by itself.
TEST_F(TcpStreams, SegmentsOfARawSocket) {
  const auto first = unique_name("raw");
  const auto second = unique_name("raw");
  const auto cut = unique_name("raw");
  const auto before = harness().counters();
  const auto run = run_child("sender", [&]() -> Result<void> {
    const Fd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!raw.valid()) return fail_errno("SOCK_RAW");
    const auto server = server_address(AddressKind::v4);
    const auto whole = with_length_prefix(query(first));
    for (const auto& segment :
         {tcp_segment(53, 1'000'000, whole), tcp_segment(53, 1'000, with_length_prefix(query(second))),
          tcp_segment(53, 500'000, with_length_prefix(query(cut) + "more").substr(0, whole.size() + 2))}) {
      if (auto sent = send_to_on(raw.get(), server, segment); !sent) return sent;
    }
    return {};
  });
  NSL_ASSERT_OK(run.result);
  const auto candidates = harness().collect();
  NSL_ASSERT_OK(candidates);
  std::vector<Expected> expected;
  for (const auto& name : {first, second, cut}) {
    expected.push_back({.name = name, .transport = NSL_TCP, .server = "127.0.0.77", .pid = run.pid, .tid = run.pid});
  }
  const auto after = harness().counters();
  check_case("tcp_segments_of_a_raw_socket", egress_only(), expected, *candidates, before, after);
  EXPECT_EQ(after.at(NSL_COUNT_tcp_split), before.at(NSL_COUNT_tcp_split) + 1) << "the one that is not whole";
  EXPECT_EQ(after.at(NSL_COUNT_tcp_retransmitted), before.at(NSL_COUNT_tcp_retransmitted));
}

INSTANTIATE_TEST_SUITE_P(Table, Tcp, ::testing::ValuesIn(tcp_cases()), test_name);

}  // namespace
}  // namespace nslookout::kernel_test
