// Responses: which datagrams and streams of a name server are handed over, and that each joins the query, and so the process,
// that asked (exchange.h). The server is the test itself; the client is a child that has the response before it ends.
// What user space decides (another name, a second response) is handed over here.
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <ostream>

#include "bpf/exchange.h"
#include "child.h"
#include "harness.h"
#include "sender.h"
#include "sink.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

constexpr std::uint16_t response_flags = 0x8180;

// One datagram of the server.
struct Reply {
  std::uint16_t flags = response_flags;
  std::uint16_t id_bits = 0;  // that differ from the query's id
  std::size_t octets = 0;     // of the whole message; 0: no padding
  bool other_port = false;    // sent from port 54
  bool other_address = false;
};

struct Row {
  std::string name;
  std::vector<Reply> replies = {{}};
  std::size_t handed_over = 1;  // of the replies, the first ones
  nsl_counter counter = NSL_COUNTER_MAX;
  AddressKind address = AddressKind::v4;
  bool connected = false;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::vector<Row> rows() {
  constexpr auto unawaited = NSL_COUNT_responses_unawaited;
  return {
      {.name = "response_v4"},
      {.name = "response_v4_connected", .connected = true},
      {.name = "response_v6", .address = AddressKind::v6},
      {.name = "response_v6_connected", .address = AddressKind::v6, .connected = true},
      {.name = "response_v4_mapped", .address = AddressKind::v4_mapped},
      {.name = "response_with_another_id", .replies = {{.id_bits = 1}}, .handed_over = 0, .counter = unawaited},
      {.name = "response_from_another_port", .replies = {{.other_port = true}}, .handed_over = 0},
      {.name = "response_from_another_address",
       .replies = {{.other_address = true}},
       .handed_over = 0,
       .counter = unawaited},
      {.name = "query_from_the_server", .replies = {{.flags = 0x0100}}, .handed_over = 0},
      {.name = "response_after_spoofed_ones", .replies = {{}, {.id_bits = 0x8000}, {.other_address = true}}},
      {.name = "response_twice", .replies = {{}, {}}, .handed_over = 2},
      {.name = "response_too_short", .replies = {{.octets = 11}}, .handed_over = 0},
      {.name = "response_of_a_header_alone", .replies = {{.octets = 12}}},
      {.name = "response_of_512", .replies = {{.octets = 512}}},
      {.name = "response_of_513", .replies = {{.octets = 513}}},
      {.name = "response_of_4096", .replies = {{.octets = 4096}}},
      {.name = "response_of_4097", .replies = {{.octets = 4097}}, .counter = NSL_COUNT_response_cut},
      {.name = "response_of_60000", .replies = {{.octets = 60000}}, .counter = NSL_COUNT_response_cut},
  };
}

std::string message_of(const Reply& reply, const std::string& wire, std::uint16_t id) {
  std::string octets =
      Message{.id = static_cast<std::uint16_t>(id ^ reply.id_bits), .flags = reply.flags, .questions = {{.name = wire}}}
          .octets();
  if (reply.octets != 0) octets.resize(reply.octets, 'x');
  return octets;
}

// Asks and waits for a datagram, which the server sends last.
Result<void> ask(const Row& row, const SocketAddress& server, const std::string& payload) {
  auto fd = row.connected ? connect_socket(server, SOCK_DGRAM) : open_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  if (auto sent = row.connected ? send_on(fd->get(), payload) : send_to_on(fd->get(), server, payload); !sent) {
    return sent;
  }
  char octet = 0;
  do {
    if (!wait_readable(fd->get())) return fail(ErrorClass::runtime, "no datagram came");
    if (::recv(fd->get(), &octet, 1, 0) < 0) return fail_errno("recv");
  } while (octet != 'Z');
  return {};
}

// The client's address, for the server to answer to.
struct Client {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
};

Result<Client> receive_query(const Fd& server) {
  Client client;
  std::array<char, 512> buffer{};
  if (!wait_readable(server.get())) return fail(ErrorClass::runtime, "no query came");
  if (::recvfrom(server.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&client.address),
                 &client.length) < 0) {
    return fail_errno("recvfrom");
  }
  return client;
}

Result<void> reply_from(const Fd& server, const Client& client, const std::string& octets) {
  return check_sent(::sendto(server.get(), octets.data(), octets.size(), 0,
                             reinterpret_cast<const sockaddr*>(&client.address), client.length),
                    octets.size(), "sendto");
}

class Responses : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto harness = Harness::start({.responses = kernel::Responses::all});
    NSL_ASSERT_OK(harness);
    ASSERT_FALSE(harness->sensor().responses_refused()) << harness->sensor().responses_refused()->message;
    harness_ = std::make_unique<Harness>(std::move(*harness));
  }
  static void TearDownTestSuite() { harness_.reset(); }
  void SetUp() override { NSL_ASSERT_OK(harness_->list({zone_entry()})); }

  // Of each response that came: the query it joins and the process of that, and its octets.
  struct Joined {
    std::string name;
    pid_t pid = 0;
    std::string octets;
    std::uint32_t full_length = 0;
  };
  static std::vector<Joined> joined(const std::vector<nsl_candidate>& candidates) {
    std::vector<Joined> all;
    for (const CapturedResponse& response : harness_->take_responses()) {
      Joined one{"(no query)", 0, response.octets, response.head.full_length};
      for (const nsl_candidate& candidate : candidates) {
        nsl_exchange exchange{};
        nsl_exchange_of(&exchange, &candidate);
        if (std::memcmp(&exchange, &response.head.exchange, sizeof exchange) != 0) continue;
        EXPECT_TRUE(candidate.flags & NSL_FLAG_AWAITED);
        EXPECT_GE(response.head.boottime, candidate.boottime);
        one.name = name_of(candidate);
        one.pid = static_cast<pid_t>(candidate.sender.process.tgid);
      }
      all.push_back(one);
    }
    return all;
  }

  static std::unique_ptr<Harness> harness_;  // NOLINT: of the suite
};

std::unique_ptr<Harness> Responses::harness_;

class ResponseRows : public Responses, public ::testing::WithParamInterface<Row> {};

TEST_P(ResponseRows, HandedOverOrNot) {
  const Row& row = GetParam();
  const auto address = server_address(row.address);
  const auto own = row.address == AddressKind::v4_mapped ? server_address(AddressKind::v4) : address;
  const auto server = bound_socket(own, SOCK_DGRAM);
  NSL_ASSERT_OK(server);
  const auto port_54 = bound_socket(server_address(row.address, 54), SOCK_DGRAM);
  NSL_ASSERT_OK(port_54);
  const auto elsewhere = bound_socket(SocketAddress(AF_INET, "127.0.0.78", 53), SOCK_DGRAM);
  NSL_ASSERT_OK(elsewhere);
  const std::string wire = unique_name(row.name);
  const auto before = harness_->counters();
  auto client = Child::start("asker", [&] { return ask(row, address, query(wire)); });
  NSL_ASSERT_OK(client);
  const auto from = receive_query(*server);
  NSL_ASSERT_OK(from);
  std::vector<std::string> sent;
  for (const Reply& reply : row.replies) {
    sent.push_back(message_of(reply, wire, 0x4d53));
    NSL_ASSERT_OK(reply_from(reply.other_port      ? *port_54
                             : reply.other_address ? *elsewhere
                                                   : *server,
                             *from, sent.back()));
  }
  NSL_ASSERT_OK(reply_from(*server, *from, "Z"));
  NSL_ASSERT_OK(client->wait());
  const auto candidates = harness_->collect();
  NSL_ASSERT_OK(candidates);

  const std::vector<Joined> came = joined(*candidates);
  ASSERT_EQ(came.size(), row.handed_over);
  for (std::size_t i = 0; i < came.size(); ++i) {
    EXPECT_EQ(came[i].name, wire);
    EXPECT_EQ(came[i].pid, client->pid());
    EXPECT_EQ(came[i].octets, sent[i].substr(0, NSL_RESPONSE_MAX));
    EXPECT_EQ(came[i].full_length, sent[i].size());
  }
  if (row.counter != NSL_COUNTER_MAX) {
    EXPECT_GT(harness_->counters()[row.counter], before[row.counter]);
  }
  report_case(row.name, HasFailure() ? "failed" : row.handed_over > 0 ? "seen" : "unseen(none)");
}

INSTANTIATE_TEST_SUITE_P(Table, ResponseRows, ::testing::ValuesIn(rows()),
                         [](const ::testing::TestParamInfo<Row>& row) { return row.param.name; });

// The same id at the same time: the socket tells the two apart.
TEST_F(Responses, OfTwoSocketsWithTheSameId) {
  const auto server = bound_socket(server_address(AddressKind::v4), SOCK_DGRAM);
  NSL_ASSERT_OK(server);
  std::vector<std::string> names = {unique_name("one"), unique_name("two")};
  std::vector<Child> clients;
  std::vector<Client> from;
  for (const std::string& wire : names) {
    auto client = Child::start("asker", [&] { return ask({}, server_address(AddressKind::v4), query(wire)); });
    NSL_ASSERT_OK(client);
    clients.push_back(std::move(*client));
    const auto came = receive_query(*server);
    NSL_ASSERT_OK(came);
    from.push_back(*came);
  }
  for (const std::size_t i : {1U, 0U}) {
    NSL_ASSERT_OK(reply_from(*server, from[i], message_of({}, names[i], 0x4d53)));
    NSL_ASSERT_OK(reply_from(*server, from[i], "Z"));
    NSL_ASSERT_OK(clients[i].wait());
  }
  const auto candidates = harness_->collect();
  NSL_ASSERT_OK(candidates);
  const std::vector<Joined> came = joined(*candidates);
  ASSERT_EQ(came.size(), 2U);
  EXPECT_EQ(came[0].name, names[1]);
  EXPECT_EQ(came[0].pid, clients[1].pid());
  EXPECT_EQ(came[1].name, names[0]);
  EXPECT_EQ(came[1].pid, clients[0].pid());
}

// ---- over TCP, which the cgroup backend alone sees

struct StreamRow {
  std::string name;
  std::size_t messages = 1;
  std::vector<std::size_t> piece_ends = {};  // offsets into the server's stream; empty: one write
  bool octet_each = false;
  std::size_t octets = 0;  // of each message; 0: no padding
  AddressKind address = AddressKind::v4;
};

void PrintTo(const StreamRow& row, std::ostream* out) { *out << row.name; }

std::vector<StreamRow> stream_rows() {
  return {
      {.name = "tcp_response_one_write"},
      {.name = "tcp_response_v6", .address = AddressKind::v6},
      {.name = "tcp_response_prefix_first", .piece_ends = {2}},
      {.name = "tcp_response_one_octet_first", .piece_ends = {1}},
      {.name = "tcp_response_cut_in_the_header", .piece_ends = {9}},
      {.name = "tcp_response_octet_by_octet", .octet_each = true},
      {.name = "tcp_responses_in_one_write", .messages = 3},
      {.name = "tcp_responses_cut_at_odd_places", .messages = 3, .piece_ends = {1, 70, 71, 100, 150}},
      {.name = "tcp_responses_of_3000_cut", .messages = 3, .piece_ends = {1000, 3500, 6400}, .octets = 3000},
      {.name = "tcp_responses_of_4094_cut", .messages = 2, .piece_ends = {3000}, .octets = 4094},
      {.name = "tcp_responses_of_9000_cut", .messages = 2, .piece_ends = {5000, 9001, 12000}, .octets = 9000},
  };
}

Result<void> ask_on(int connection, const std::string& stream, std::size_t expected) {
  if (auto sent = send_on(connection, stream); !sent) return sent;
  std::array<char, 4096> buffer{};
  for (std::size_t came = 0; came < expected;) {
    if (!wait_readable(connection)) return fail(ErrorClass::runtime, "{} of {} octets came", came, expected);
    const auto octets = ::recv(connection, buffer.data(), buffer.size(), 0);
    if (octets <= 0) return fail_errno("recv");
    came += static_cast<std::size_t>(octets);
  }
  return {};
}

Result<void> ask_over_tcp(const SocketAddress& server, const std::string& stream, std::size_t expected) {
  const auto fd = connect_socket(server, SOCK_STREAM);
  if (!fd) return fail(fd.error());
  return ask_on(fd->get(), stream, expected);
}

Result<void> serve_stream(const Fd& listening, const std::string& stream, const StreamRow& row) {
  if (!wait_readable(listening.get())) return fail(ErrorClass::runtime, "no connection came");
  const Fd connection(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection.valid()) return fail_errno("accept");
  const int one = 1;
  ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  std::array<char, 512> query{};
  if (!wait_readable(connection.get()) || ::recv(connection.get(), query.data(), query.size(), 0) <= 0) {
    return fail_errno("recv");
  }
  std::vector<std::size_t> ends = row.piece_ends;
  for (std::size_t i = 1; row.octet_each && i < stream.size(); ++i) ends.push_back(i);
  ends.push_back(stream.size());
  std::size_t from = 0;
  for (const std::size_t end : ends) {
    if (auto sent = send_on(connection.get(), stream.substr(from, end - from)); !sent) return sent;
    from = end;
  }
  char octet = 0;  // until the client has all of it and goes
  while (wait_readable(connection.get()) && ::recv(connection.get(), &octet, 1, 0) > 0) {
  }
  return {};
}

class ResponseStreams : public Responses, public ::testing::WithParamInterface<StreamRow> {};

TEST_P(ResponseStreams, EachOnceAndWhole) {
  if (backend_under_test() != kernel::Backend::cgroup) GTEST_SKIP() << "the cgroup backend alone sees TCP";
  const StreamRow& row = GetParam();
  const auto address = server_address(row.address);
  const auto listening = listening_socket(address);
  NSL_ASSERT_OK(listening);
  std::vector<std::string> names;
  std::vector<std::string> messages;
  std::string asked;
  std::string answered;
  for (std::size_t i = 0; i < row.messages; ++i) {
    const auto id = static_cast<std::uint16_t>(0x1000 + i);
    names.push_back(unique_name(row.name));
    messages.push_back(message_of({.octets = row.octets}, names.back(), id));
    asked += with_length_prefix(query(names.back(), type_a, id));
    answered += with_length_prefix(messages.back());
  }
  auto client = Child::start("asker", [&] { return ask_over_tcp(address, asked, answered.size()); });
  NSL_ASSERT_OK(client);
  NSL_ASSERT_OK(serve_stream(*listening, answered, row));
  NSL_ASSERT_OK(client->wait());
  const auto candidates = harness_->collect();
  NSL_ASSERT_OK(candidates);

  const std::vector<Joined> came = joined(*candidates);
  ASSERT_EQ(came.size(), names.size()) << text_of(harness_->counters());
  for (std::size_t i = 0; i < came.size(); ++i) {
    EXPECT_EQ(came[i].name, names[i]);
    EXPECT_EQ(came[i].pid, client->pid());
    EXPECT_EQ(came[i].octets, messages[i].substr(0, came[i].octets.size()));
    // of a message that is put together, the length prefix takes two octets of the room
    EXPECT_GE(came[i].octets.size(), std::min<std::size_t>(messages[i].size(), NSL_RESPONSE_MAX - 2));
    EXPECT_EQ(came[i].full_length, messages[i].size());
  }
  report_case(row.name, HasFailure() ? "failed" : "seen");
}

INSTANTIATE_TEST_SUITE_P(Table, ResponseStreams, ::testing::ValuesIn(stream_rows()),
                         [](const ::testing::TestParamInfo<StreamRow>& row) { return row.param.name; });

// A socket is connected anew to another stream, whose numbers have nothing to do with those of the one before.
TEST_F(Responses, OfASocketThatIsConnectedAnew) {
  if (backend_under_test() != kernel::Backend::cgroup) GTEST_SKIP() << "the cgroup backend alone sees TCP";
  const auto address = server_address(AddressKind::v4);
  const auto listening = listening_socket(address);
  NSL_ASSERT_OK(listening);
  std::vector<std::string> names;
  std::vector<std::string> asked;
  std::vector<std::string> answered;
  for (std::uint16_t i = 0; i < 4; ++i) {
    names.push_back(unique_name("anew"));
    asked.push_back(with_length_prefix(query(names.back(), type_a, i)));
    answered.push_back(with_length_prefix(message_of({}, names.back(), i)));
  }
  auto client = Child::start("asker", [&]() -> Result<void> {
    const auto fd = open_socket(address, SOCK_STREAM);
    if (!fd) return fail(fd.error());
    const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (::connect(fd->get(), address.get(), address.length()) != 0) return fail_errno("connect");
      if (auto done = ask_on(fd->get(), asked[i], answered[i].size()); !done) return done;
      if (::connect(fd->get(), &nowhere, sizeof nowhere) != 0) return fail_errno("AF_UNSPEC");
    }
    return {};
  });
  NSL_ASSERT_OK(client);
  for (const std::string& stream : answered) NSL_ASSERT_OK(serve_stream(*listening, stream, {}));
  NSL_ASSERT_OK(client->wait());
  const auto candidates = harness_->collect();
  NSL_ASSERT_OK(candidates);
  std::vector<std::string> came;
  for (const Joined& one : joined(*candidates)) came.push_back(one.name);
  EXPECT_EQ(came, names) << text_of(harness_->counters());
}

// The tables say of which reasons the response is needed; where they say nothing, no response is waited for.
TEST_F(Responses, OnlyOfTheQueriesThatNeedThem) {
  const struct {
    std::uint32_t awaited;
    bool expected;
  } cases[] = {{0, false}, {NSL_REASON_NAME, true}, {NSL_REASON_TYPE, false}};
  harness_.reset();  // one sensor at a time
  auto harness = Harness::start({.responses = kernel::Responses::needed});
  NSL_ASSERT_OK(harness);
  for (const auto& row : cases) {
    auto tables = tables_of({zone_entry(), canary_entry()});
    tables.awaited = row.awaited;
    NSL_ASSERT_OK(harness->publish(tables));
    const auto run =
        run_child("asker", [] { return send_sendto(server_address(AddressKind::v4), {query(unique_name("needed"))}); });
    NSL_ASSERT_OK(run.result);
    const auto candidates = harness->collect();
    NSL_ASSERT_OK(candidates);
    ASSERT_EQ(candidates->size(), 1U);
    EXPECT_EQ((candidates->front().flags & NSL_FLAG_AWAITED) != 0, row.expected) << row.awaited;
  }
  SetUpTestSuite();
}

}  // namespace
}  // namespace nslookout::kernel_test
