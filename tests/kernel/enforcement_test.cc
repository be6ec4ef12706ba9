// What the tables block does not leave: whatever the way of sending, and nothing else is kept back. The cgroup backend alone can.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <ostream>
#include <thread>

#include "child.h"
#include "harness.h"
#include "sender.h"
#include "sink.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

using kernel::Mode;

std::string below_zone(const std::string& name) { return wire_name(name + "." + zone()); }

ListedName verdict_on(const std::string& name, std::uint32_t verdict) {
  const bool blocks = (verdict & (NSL_NAME_BLOCK_EXACT | NSL_NAME_BLOCK_BELOW)) != 0;
  return {.wire = below_zone(name),
          .exact = blocks && (verdict & NSL_NAME_BLOCK_EXACT) != 0,
          .below = blocks && (verdict & NSL_NAME_BLOCK_BELOW) != 0,
          .verdict = verdict};
}

// A sensor of its own in one mode, and everything below "blocked" blocked.
class Enforcement : public ::testing::Test {
 protected:
  void SetUp() override {
    if (backend_under_test() != kernel::Backend::cgroup) GTEST_SKIP() << "the cgroup backend alone can block";
  }

  void start(Mode mode, kernel::SensorOptions options = {}) {
    options.mode = mode;
    auto harness = Harness::start(options);
    NSL_ASSERT_OK(harness);
    harness_.emplace(std::move(*harness));
    NSL_ASSERT_OK(harness_->list({zone_entry(), verdict_on("blocked", NSL_NAME_BLOCK_BELOW)}));
  }

  // What of the payloads arrived, in their order; a marker behind them ends the waiting.
  Result<std::vector<std::string>> arrived(const SendFunction& send, AddressKind address, const Payloads& payloads) {
    const auto sink =
        UdpSink::open(address == AddressKind::v6 ? server_address(address) : server_address(AddressKind::v4));
    if (!sink) return fail(sink.error());
    const auto sent = run_child("sender", [&] { return send(server_address(address), payloads); });
    if (!sent.result) return fail(sent.result.error());
    sender_ = sent.pid;
    const std::string marker = query(unique_name("marker"));
    const auto marked = run_child("marker", [&] { return send_sendto(server_address(address), {marker}); });
    if (!marked.result) return fail(marked.result.error());
    std::vector<std::string> came;
    while (came.empty() || came.back() != marker) {
      const auto more = sink->receive(1);
      if (more.empty()) return fail(ErrorClass::runtime, "the marker did not arrive");
      came.insert(came.end(), more.begin(), more.end());
    }
    came.pop_back();
    return came;
  }

  // The flags of the candidates with that name.
  Result<std::vector<std::uint32_t>> flags_of(const std::string& name) {
    const auto candidates = harness_->collect();
    if (!candidates) return fail(candidates.error());
    std::vector<std::uint32_t> flags;
    for (const nsl_candidate& candidate : *candidates) {
      if (name_of(candidate) == name) flags.push_back(candidate.flags & (NSL_FLAG_BLOCKED | NSL_FLAG_WOULD_BLOCK));
    }
    return flags;
  }

  std::uint64_t blocked() const { return harness_->counters().at(NSL_COUNT_blocked); }

  std::optional<Harness> harness_;
  pid_t sender_ = -1;
};

TEST_F(Enforcement, WhichNamesAreBlocked) {
  constexpr std::uint32_t both_below = NSL_NAME_BLOCK_EXACT | NSL_NAME_BLOCK_BELOW;
  constexpr std::uint32_t both_allowed = NSL_NAME_ALLOW_EXACT | NSL_NAME_ALLOW_BELOW;
  struct Row {
    std::string asked;
    std::vector<std::pair<std::string, std::uint32_t>> names;
    bool blocked;
  };
  const std::vector<Row> rows = {
      {"a", {{"a", NSL_NAME_BLOCK_EXACT}}, true},
      {"x.a", {{"a", NSL_NAME_BLOCK_EXACT}}, false},
      {"a", {{"a", NSL_NAME_BLOCK_BELOW}}, false},
      {"x.a", {{"a", NSL_NAME_BLOCK_BELOW}}, true},
      {"y.x.a", {{"a", NSL_NAME_BLOCK_BELOW}}, true},
      {"xa", {{"a", both_below}}, false},
      {"b", {{"a", both_below}}, false},
      {"x.a", {{"a", both_below}, {"x.a", NSL_NAME_ALLOW_EXACT}}, false},
      {"y.x.a", {{"a", both_below}, {"x.a", NSL_NAME_ALLOW_EXACT}}, true},
      {"y.x.a", {{"a", both_below}, {"x.a", NSL_NAME_ALLOW_BELOW}}, false},
      {"x.a", {{"a", both_below}, {"x.a", NSL_NAME_ALLOW_BELOW}}, true},
      {"x.a", {{"x.a", NSL_NAME_BLOCK_EXACT}, {"a", both_allowed}}, false},  // allowed wins, whichever is longer
      {"a", {{"a", both_below | both_allowed}}, false},
      {"a", {{"a", both_allowed}}, false},
  };
  start(Mode::enforce);
  for (const Row& row : rows) {
    std::vector<ListedName> names = {zone_entry()};
    for (const auto& [name, verdict] : row.names) names.push_back(verdict_on(name, verdict));
    NSL_ASSERT_OK(harness_->list(names));
    const std::string asked = below_zone(row.asked);
    const auto came = arrived(send_sendto, AddressKind::v4, {query(asked)});
    NSL_ASSERT_OK(came);
    EXPECT_EQ(came->empty(), row.blocked)
        << row.asked << ", " << row.names.front().first << " and " << row.names.size() - 1 << " more";
    const auto flags = flags_of(asked);
    NSL_ASSERT_OK(flags);
    EXPECT_EQ(*flags, std::vector<std::uint32_t>{row.blocked ? NSL_FLAG_BLOCKED : 0U}) << row.asked;
  }
}

TEST_F(Enforcement, TheModes) {
  const struct {
    Mode mode;
    bool leaves;
    std::uint32_t flags;
  } rows[] = {
      {Mode::audit, true, 0}, {Mode::dry_run, true, NSL_FLAG_WOULD_BLOCK}, {Mode::enforce, false, NSL_FLAG_BLOCKED}};
  for (const auto& row : rows) {
    harness_.reset();  // one sensor at a time
    start(row.mode);
    const std::string name = below_zone("mode.blocked");
    const auto came = arrived(send_sendto, AddressKind::v4, {query(name)});
    NSL_ASSERT_OK(came);
    EXPECT_EQ(!came->empty(), row.leaves) << kernel::mode_name(row.mode);
    const auto flags = flags_of(name);
    NSL_ASSERT_OK(flags);
    EXPECT_EQ(*flags, std::vector<std::uint32_t>{row.flags}) << kernel::mode_name(row.mode);
    EXPECT_EQ(blocked(), row.leaves ? 0U : 1U);
  }
}

TEST_F(Enforcement, EveryWayOfSending) {
  constexpr auto v6 = AddressKind::v6;
  constexpr auto mapped = AddressKind::v4_mapped;
  const struct {
    std::string name;
    SendFunction send;
    AddressKind address = AddressKind::v4;
    std::size_t queries = 1;
  } rows[] = {
      {"sendto", send_sendto},
      {"sendto_v6", send_sendto, v6},
      {"sendto_v4_mapped", send_sendto, mapped},
      {"connected", send_connected_send},
      {"connected_v6", send_connected_send, v6},
      {"writev", send_connected_writev},
      {"octet_each", send_sendmsg_octet_each},
      {"sendmmsg", send_sendmmsg, AddressKind::v4, 4},
      {"more", send_more_after(20)},
      {"corked", send_corked_flushed_by_option},
      {"gso", send_gso_by_option, AddressKind::v4, 3},
      {"zerocopy", send_zerocopy},
      {"sendfile", send_sendfile},
      {"raw_ip", send_raw_ip},
      {"raw_ip_in_two_parts", send_raw_ip_in_two_parts},
      {"raw_ipv6_six_headers", send_raw_ipv6_behind(6), v6},
      {"destination_options", send_behind_long_options, v6},
  };
  start(Mode::enforce);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Payloads payloads;
    for (std::size_t i = 0; i < row.queries; ++i) payloads.push_back(query(below_zone("kind.blocked")));
    const auto came = arrived(row.send, row.address, payloads);
    if (!came && came.error().kind == ErrorClass::unsupported) continue;
    NSL_ASSERT_OK(came);
    EXPECT_TRUE(came->empty());
    const auto flags = flags_of(below_zone("kind.blocked"));
    NSL_ASSERT_OK(flags);
    EXPECT_EQ(*flags, std::vector<std::uint32_t>(row.queries, NSL_FLAG_BLOCKED));
    report_case("blocked_" + row.name, HasFailure() ? "failed" : "seen");
  }
}

// One message with an allowed and a blocked question: it is one packet.
TEST_F(Enforcement, AMessageLeavesWholeOrNotAtAll) {
  start(Mode::enforce);
  Message message;
  message.questions = {{.name = below_zone("free")}, {.name = below_zone("two.blocked")}};
  const auto came = arrived(send_sendto, AddressKind::v4, {message.octets()});
  NSL_ASSERT_OK(came);
  EXPECT_TRUE(came->empty());
  const auto flags = flags_of(below_zone("two.blocked"));
  NSL_ASSERT_OK(flags);
  EXPECT_EQ(*flags, std::vector<std::uint32_t>{NSL_FLAG_BLOCKED});
}

// What an answer in the server's place needs.
TEST_F(Enforcement, TheCandidateSaysWhereThePacketWent) {
  start(Mode::enforce);
  const auto came = arrived(send_sendto, AddressKind::v4, {query(below_zone("wire.blocked"))});
  NSL_ASSERT_OK(came);
  const auto candidates = harness_->collect();
  NSL_ASSERT_OK(candidates);
  const auto found = std::ranges::find_if(
      *candidates, [](const nsl_candidate& candidate) { return name_of(candidate) == below_zone("wire.blocked"); });
  ASSERT_NE(found, candidates->end());
  EXPECT_EQ((std::array{found->wire_server[0], found->wire_server[1], found->wire_server[2], found->wire_server[3]}),
            (std::array<std::uint8_t, 4>{127, 0, 0, 77}));
  EXPECT_EQ(found->wire_port, 53);
  EXPECT_NE(found->source_port, 0);
}

TEST_F(Enforcement, AFullRingBlocksAllTheSame) {
  start(Mode::enforce, {.ring_octets = 4096});
  const Payloads payloads(50, query(below_zone("full.blocked")));
  const auto came = arrived(send_sendto, AddressKind::v4, payloads);
  NSL_ASSERT_OK(came);
  EXPECT_TRUE(came->empty());
  EXPECT_EQ(blocked(), payloads.size());
  EXPECT_GT(harness_->counters().at(NSL_COUNT_ring_full), 0U);
}

TEST_F(Enforcement, OnlyTheseNames) {
  start(Mode::enforce);
  const std::string canary = "canary." + zone();
  const std::string allowed = below_zone("allowed");
  const std::string any_other = wire_name("other.example");
  const std::string canary_wire = wire_name(canary);
  const compile::KernelPredicates predicates{
      .names = {{.wire = canary_wire, .below = true, .verdict = NSL_NAME_ALLOW_BELOW},
                {.wire = allowed, .verdict = NSL_NAME_ALLOW_EXACT}},
      .block_unlisted = true};
  NSL_ASSERT_OK(harness_->publish(compile::build_kernel_tables(predicates, compile::Seeds::random()), true));
  const auto sink = UdpSink::open(server_address(AddressKind::v4));
  NSL_ASSERT_OK(sink);
  const auto sent = run_child("sender", [&] {
    return send_sendto(server_address(AddressKind::v4),
                       {query(any_other), query(below_zone("x.allowed")), query(allowed)});
  });
  NSL_ASSERT_OK(sent.result);
  EXPECT_EQ(sink->receive(1), std::vector<std::string>{query(allowed)});
  const auto candidates = harness_->collect();
  NSL_ASSERT_OK(candidates);
  std::vector<std::pair<std::string, bool>> verdicts;
  for (const nsl_candidate& candidate : *candidates) {
    verdicts.emplace_back(name_of(candidate), (candidate.flags & NSL_FLAG_BLOCKED) != 0);
  }
  EXPECT_EQ(verdicts, (std::vector<std::pair<std::string, bool>>{
                          {any_other, true}, {below_zone("x.allowed"), true}, {allowed, false}}));
}

// Nor by a header that promises records which are not there, or a class that nobody asks for.
TEST_F(Enforcement, OnlyTheseNamesWhateverTheHeader) {
  start(Mode::enforce);
  const std::string canary = wire_name("canary." + zone());
  const compile::KernelPredicates predicates{
      .names = {{.wire = canary, .below = true, .verdict = NSL_NAME_ALLOW_BELOW}}, .block_unlisted = true};
  NSL_ASSERT_OK(harness_->publish(compile::build_kernel_tables(predicates, compile::Seeds::random()), true));
  const std::string other = below_zone("odd");
  const Message rows[] = {
      {.questions = {{.name = other}}, .additional_count = 100},
      {.questions = {{.name = other}}, .answer_count = 0x0100},
      {.questions = {{.name = other, .record_class = 7}}},
  };
  for (const Message& row : rows) {
    const std::uint64_t before = blocked();
    const auto sent = run_child("sender", [&] { return send_sendto(server_address(AddressKind::v4), {row.octets()}); });
    NSL_ASSERT_OK(sent.result);
    EXPECT_EQ(blocked(), before + 1) << row.additional_count << " " << row.answer_count;
    const auto flags = flags_of(other);
    NSL_ASSERT_OK(flags);
    EXPECT_EQ(*flags, std::vector<std::uint32_t>{NSL_FLAG_BLOCKED});
  }
}

// The kernel looks at the first NSL_MESSAGES_MAX datagrams of a send: what is behind them leaves in no mode that blocks.
TEST_F(Enforcement, NothingHidesBehindTheLimit) {
  for (const Mode mode : {Mode::dry_run, Mode::enforce}) {
    harness_.reset();
    start(mode);
    for (const bool hidden : {false, true}) {
      Payloads all(hidden ? 48 : NSL_MESSAGES_MAX, query(below_zone("kind.another")));
      if (hidden) all[40] = query(below_zone("kind.blocked"));
      const auto came = arrived(send_gso_by_option, AddressKind::v4, all);
      if (!came && came.error().kind == ErrorClass::unsupported) GTEST_SKIP() << came.error().message;
      NSL_ASSERT_OK(came);
      EXPECT_EQ(came->size(), hidden && mode == Mode::enforce ? 0U : all.size()) << kernel::mode_name(mode);
      NSL_ASSERT_OK(harness_->collect());
    }
  }
}

// A name could be behind more headers than are followed.
TEST_F(Enforcement, NothingHidesBehindHeaders) {
  for (const Mode mode : {Mode::audit, Mode::enforce}) {
    harness_.reset();
    start(mode);
    const auto before = harness_->counters().at(NSL_COUNT_payload_unreadable);
    const auto came = arrived(send_raw_ipv6_behind(7), AddressKind::v6, {query(below_zone("headers.free"))});
    NSL_ASSERT_OK(came);
    EXPECT_EQ(came->size(), mode == Mode::enforce ? 0U : 1U) << kernel::mode_name(mode);
    EXPECT_EQ(harness_->counters().at(NSL_COUNT_payload_unreadable), before + 1);
  }
}

// The kernel's own notice that nobody took an answer would quote the name to the server.
TEST_F(Enforcement, NoNoticeQuotesAnAnswer) {
  const struct {
    AddressKind address;
    Mode mode;
    std::uint16_t port;
    bool told;
  } rows[] = {
      {AddressKind::v4, Mode::audit, 53, true},    {AddressKind::v6, Mode::audit, 53, true},
      {AddressKind::v4, Mode::enforce, 53, false}, {AddressKind::v6, Mode::enforce, 53, false},
      {AddressKind::v4, Mode::enforce, 54, true},
  };
  for (const auto& row : rows) {
    harness_.reset();
    start(row.mode);
    const auto server = bound_socket(server_address(row.address, row.port), SOCK_DGRAM);
    NSL_ASSERT_OK(server);
    const auto closed = server_address(row.address, 40053);  // nobody listens there
    ASSERT_EQ(::connect(server->get(), closed.get(), closed.length()), 0);
    ASSERT_GT(::send(server->get(), "answer", 6, 0), 0);
    std::array<char, 16> buffer{};
    // On loopback the notice has come back when send() returns.
    const auto got = ::recv(server->get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    EXPECT_EQ(got, -1);
    EXPECT_EQ(errno == ECONNREFUSED, row.told) << kernel::mode_name(row.mode) << " port " << row.port;
  }
}

// RFC 6093 section 3.2: the server that reads "sfrclak" was sent "sfXrclak", X being urgent.
TEST_F(Enforcement, NoUrgentOctetHidesAName) {
  for (const Mode mode : {Mode::audit, Mode::enforce}) {
    harness_.reset();
    start(mode);
    const auto listening = listening_socket(server_address(AddressKind::v4));
    NSL_ASSERT_OK(listening);
    const std::string stream = with_length_prefix(query(below_zone("urgent.blocked")));
    const std::size_t cut = stream.find("ent");
    const auto before = harness_->counters().at(NSL_COUNT_tcp_split);
    const auto run = run_child("sender", [&]() -> Result<void> {
      const auto fd = connect_socket(server_address(AddressKind::v4), SOCK_STREAM);
      if (!fd) return fail(fd.error());
      const std::string first = stream.substr(0, cut) + "X";
      if (::send(fd->get(), first.data(), first.size(), MSG_OOB) < 0) return fail_errno("MSG_OOB");
      if (auto sent = send_on(fd->get(), stream.substr(cut)); !sent) return sent;
      // What the kernel still holds back when it is closed would be sent for minutes.
      const linger at_once{.l_onoff = mode == Mode::enforce, .l_linger = 0};
      if (::setsockopt(fd->get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) != 0) return fail_errno("SO_LINGER");
      return {};
    });
    NSL_ASSERT_OK(run.result);
    EXPECT_GT(harness_->counters().at(NSL_COUNT_tcp_split), before) << kernel::mode_name(mode);
    const Fd connection(::accept4(listening->get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(connection.valid());
    std::string came;
    char octet = 0;
    while (wait_readable(connection.get()) && ::recv(connection.get(), &octet, 1, 0) > 0) came += octet;
    EXPECT_EQ(came, mode == Mode::audit ? stream : "") << "the server reads the name without X";
    NSL_ASSERT_OK(harness_->collect());
  }
}

struct StreamRow {
  std::string name;
  std::vector<std::size_t> ends = {};  // of the pieces; empty: one write
  bool octet_each = false;
  bool free_one_first = false;
  bool empty_one_first = false;
  AddressKind address = AddressKind::v4;
};

void PrintTo(const StreamRow& row, std::ostream* out) { *out << row.name; }

class EnforcementTcp : public Enforcement, public ::testing::WithParamInterface<StreamRow> {};

TEST_P(EnforcementTcp, TheMessageIsNeverWholeAtTheServer) {
  const StreamRow& row = GetParam();
  start(Mode::enforce);
  const auto server = server_address(row.address);
  const auto listening = listening_socket(server);
  NSL_ASSERT_OK(listening);

  const std::string free_one = row.free_one_first ? with_length_prefix(query(unique_name("free"))) : "";
  const std::string empty_one = row.empty_one_first ? with_length_prefix("") : "";
  const std::string stream = empty_one + free_one + with_length_prefix(query(below_zone("tcp.blocked")));
  Payloads pieces;
  std::size_t from = 0;
  for (const std::size_t end : row.ends) {
    pieces.push_back(stream.substr(from, end - from));
    from = end;
  }
  if (row.octet_each) {
    for (const char octet : stream) pieces.emplace_back(1, octet);
  } else {
    pieces.push_back(stream.substr(from));
  }
  const auto sent = run_child("sender", [&] { return send_stream(server, pieces); });
  NSL_ASSERT_OK(sent.result);
  // The kernel sends small pieces when those before were acknowledged.
  const auto deadline = std::chrono::steady_clock::now() + wait_bound;
  while (blocked() == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  const auto flags = flags_of(below_zone("tcp.blocked"));
  NSL_ASSERT_OK(flags);
  EXPECT_EQ(*flags, std::vector<std::uint32_t>{NSL_FLAG_BLOCKED}) << text_of(harness_->counters());

  const Fd connection(::accept4(listening->get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(connection.valid());
  std::string came;
  std::array<char, 512> buffer{};
  for (ssize_t got = 0; (got = ::recv(connection.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0;) {
    came.append(buffer.data(), static_cast<std::size_t>(got));
  }
  EXPECT_LT(came.size(), stream.size());
  EXPECT_EQ(came, stream.substr(0, came.size()));
  report_case("blocked_" + row.name, HasFailure() ? "failed" : "seen");
}

INSTANTIATE_TEST_SUITE_P(Table, EnforcementTcp,
                         ::testing::Values(StreamRow{.name = "tcp_one_write"},
                                           StreamRow{.name = "tcp_one_write_v6", .address = AddressKind::v6},
                                           StreamRow{.name = "tcp_prefix_first", .ends = {2}},
                                           StreamRow{.name = "tcp_cut_in_the_name", .ends = {24}},
                                           StreamRow{.name = "tcp_octet_by_octet", .octet_each = true},
                                           StreamRow{.name = "tcp_behind_a_free_one", .free_one_first = true},
                                           StreamRow{.name = "tcp_behind_an_empty_one", .empty_one_first = true}),
                         [](const ::testing::TestParamInfo<StreamRow>& row) { return row.param.name; });

// One socket, connected anew for each message: a verdict is about a connection, and none escapes it.
TEST_F(Enforcement, ASocketThatIsConnectedAgain) {
  start(Mode::enforce);
  const auto server = server_address(AddressKind::v4);
  const auto listening = listening_socket(server);
  NSL_ASSERT_OK(listening);
  const auto socket = open_socket(server, SOCK_STREAM);
  NSL_ASSERT_OK(socket);
  std::vector<std::string> came;
  std::vector<std::string> expected;
  for (int round = 0; round < 12; ++round) {
    const bool blocks = round % 3 == 2;
    const auto message = with_length_prefix(query(below_zone(blocks ? "again.blocked" : "again.free")));
    ASSERT_EQ(::connect(socket->get(), server.get(), server.length()), 0) << errno_text(errno);
    const Fd connection(::accept4(listening->get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(connection.valid());
    ASSERT_EQ(::send(socket->get(), message.data(), message.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(message.size()));
    // On loopback it has arrived when send() returns.
    std::array<char, 512> buffer{};
    const auto got = ::recv(connection.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    came.emplace_back(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    expected.push_back(blocks ? "" : message);
    const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
    ASSERT_EQ(::connect(socket->get(), &nowhere, sizeof nowhere), 0);
  }
  EXPECT_EQ(came, expected);
  const auto flags = flags_of(below_zone("again.free"));
  NSL_ASSERT_OK(flags);
  EXPECT_EQ(flags->size(), 8U);
  EXPECT_EQ(blocked(), 4U) << text_of(harness_->counters());
}

// Octets that overlap, a segment that no server takes: what a raw socket sends cannot be put together here.
TEST_F(Enforcement, ARawSocketSendsNoSegmentsWithOctets) {
  const struct {
    Mode mode;
    std::string name;
    std::size_t length;
    std::uint64_t blocked;
  } rows[] = {
      {Mode::audit, "raw.blocked", 200, 0}, {Mode::enforce, "raw.blocked", 200, 1}, {Mode::enforce, "raw.free", 200, 1},
      {Mode::enforce, "raw.free", 20, 1},   {Mode::enforce, "raw.free", 1, 1},      {Mode::enforce, "raw.free", 0, 0},
  };
  for (const auto& row : rows) {
    harness_.reset();
    start(row.mode);
    const Fd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP));
    ASSERT_TRUE(raw.valid());
    const auto octets = with_length_prefix(query(below_zone(row.name))).substr(0, row.length);
    NSL_ASSERT_OK(send_to_on(raw.get(), server_address(AddressKind::v4), tcp_segment(53, 1000, octets)));
    EXPECT_EQ(blocked(), row.blocked) << row.name << " " << row.length << " " << kernel::mode_name(row.mode);
  }
}

TEST(EnforcementBackends, OthersThanCgroupRefuse) {
  for (const auto backend : {kernel::Backend::fentry, kernel::Backend::kprobe}) {
    const auto sensor = kernel::Sensor::start({.mode = Mode::enforce, .backend = backend});
    ASSERT_FALSE(sensor);
    EXPECT_EQ(sensor.error().kind, ErrorClass::usage);
    EXPECT_NE(sensor.error().message.find("needs the backend cgroup"), std::string::npos) << sensor.error().message;
  }
}

}  // namespace
}  // namespace nslookout::kernel_test
