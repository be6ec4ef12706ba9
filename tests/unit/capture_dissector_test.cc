// capture/: from the shape of packets to the questions found in them and what is counted.
#include <gtest/gtest.h>

#include <map>

#include "capture/dissector.h"
#include "capture_packets.h"
#include "event/candidate.h"

namespace nslookout::capture {
namespace {

struct Packet {
  Bytes octets;
  int link_type = 1;
  std::size_t cut_to = std::string::npos;  // what a snapshot length left
};

using Skipped = std::map<Skip, std::uint64_t>;

struct Outcome {
  std::vector<std::string> questions;  // "udp name type server"
  Skipped skipped;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << testing::PrintToString(outcome.questions);
  for (const auto& [reason, count] : outcome.skipped) {
    *out << "; " << count << " " << skip_texts[static_cast<std::size_t>(reason)];
  }
}

Outcome dissect(const std::vector<Packet>& packets) {
  Outcome outcome;
  Dissector dissector({}, [&](const Lookup& lookup) {
    const event::Dns dns = event::describe_dns(lookup.question.candidate);
    outcome.questions.push_back(dns.transport + " " + dns.query + " " + dns.record_type + " " + dns.server->ip);
    return lookup.question.plausible;
  });
  for (const Packet& packet : packets) {
    Frame frame;
    frame.link_type = packet.link_type;
    frame.octets = Octets(packet.octets).subspan(0, std::min(packet.cut_to, packet.octets.size()));
    frame.original_length = packet.octets.size();
    dissector.take(frame);
  }
  dissector.finish();
  for (std::size_t i = 0; i < skip_texts.size(); ++i) {
    if (const auto reason = static_cast<Skip>(i); dissector.counts().of(reason) > 0) {
      outcome.skipped[reason] = dissector.counts().of(reason);
    }
  }
  EXPECT_EQ(dissector.counts().packets, packets.size());
  return outcome;
}

struct Case {
  std::string shape;
  std::vector<Packet> packets;
  Outcome outcome;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& test : cases) {
    SCOPED_TRACE(test.shape);
    EXPECT_EQ(dissect(test.packets), test.outcome);
  }
}

const Bytes a4 = ipv4(udp(query("a.test")));
const Bytes a6 = ipv6(udp(query("a.test", 28)));
const std::vector<std::string> found4 = {"udp a.test A 10.0.0.53"};
const std::vector<std::string> found6 = {"udp a.test AAAA 2001:db8::53"};

TEST(CaptureDissector, LinkLayers) {
  const Bytes cooked = Bytes(14, 0);
  const Bytes tag = big16(100);
  expect_all({
      {"Ethernet, IPv4", {{ethernet(a4)}}, {found4, {}}},
      {"Ethernet, IPv6", {{ethernet(a6, 0x86DD)}}, {found6, {}}},
      {"Ethernet, padded to 60 octets and beyond", {{ethernet(a4) + Bytes(40, 0x63)}}, {found4, {}}},
      {"802.1Q", {{ethernet(tag + big16(0x0800) + a4, 0x8100)}}, {found4, {}}},
      {"QinQ", {{ethernet(tag + big16(0x8100) + tag + big16(0x86DD) + a6, 0x88A8)}}, {found6, {}}},
      {"802.1Q cut within the tag", {{ethernet(tag, 0x8100)}}, {{}, {{Skip::malformed_packet, 1}}}},
      {"802.3 with SNAP", {{ethernet(Bytes{0xAA, 0xAA, 3, 0, 0, 0} + big16(0x0800) + a4, 80)}}, {found4, {}}},
      {"802.3 without", {{ethernet(Bytes(40, 0x42), 40)}}, {{}, {{Skip::not_ip, 1}}}},
      {"PPPoE", {{ethernet(Bytes{0x11, 0, 0, 1, 0, 0} + big16(0x0021) + a4, 0x8864)}}, {found4, {}}},
      {"PPPoE, control",
       {{ethernet(Bytes{0x11, 0, 0, 1, 0, 0} + big16(0xC021) + a4, 0x8864)}},
       {{}, {{Skip::not_ip, 1}}}},
      {"ARP", {{ethernet(Bytes(28, 0), 0x0806)}}, {{}, {{Skip::not_ip, 1}}}},
      {"too short for Ethernet", {{Bytes(13, 0)}}, {{}, {{Skip::malformed_packet, 1}}}},
      {"Linux cooked", {{cooked + big16(0x0800) + a4, 113}}, {found4, {}}},
      {"Linux cooked, tagged", {{cooked + big16(0x8100) + tag + big16(0x0800) + a4, 113}}, {found4, {}}},
      {"Linux cooked v2", {{big16(0x86DD) + Bytes(18, 0) + a6, 276}}, {found6, {}}},
      {"loopback, little endian", {{little32(2) + a4, 0}}, {found4, {}}},
      {"loopback, big endian, IPv6 of FreeBSD", {{big32(28) + a6, 0}}, {found6, {}}},
      {"loopback of OpenBSD", {{big32(24) + a6, 108}}, {found6, {}}},
      {"loopback, another family", {{big32(7) + a4, 0}}, {{}, {{Skip::not_ip, 1}}}},
      {"raw IP, as in the file", {{a4, 101}}, {found4, {}}},
      {"raw IP, as libpcap calls it", {{a6, 12}}, {found6, {}}},
      {"raw IPv4", {{a4, 228}}, {found4, {}}},
      {"raw IPv6", {{a6, 229}}, {found6, {}}},
      {"IEEE 802.11", {{a4, 105}}, {{}, {{Skip::link_type, 1}}}},
  });
}

TEST(CaptureDissector, InternetLayers) {
  const Bytes datagram = udp(query("a.test", 28));
  const auto extension = [](std::uint8_t next) { return Bytes{next, 0} + Bytes(6, 0); };
  const Bytes authentication = Bytes{protocol_udp, 2} + Bytes(14, 0);
  Bytes lying = a4;
  lying[3] = static_cast<std::uint8_t>(lying.size() + 1);
  Bytes offloaded = a4;
  offloaded[2] = offloaded[3] = 0;
  expect_all({
      {"IPv4 options", {{ipv4(udp(query("a.test")), {.options = Bytes(12, 1)}), 101}}, {found4, {}}},
      {"IPv4 total length beyond the packet", {{lying, 101}}, {{}, {{Skip::malformed_packet, 1}}}},
      {"IPv4 total length left to the network card", {{offloaded, 101}}, {found4, {}}},
      {"IPv4 header of 16 octets", {{Bytes{0x44} + part(a4, 1), 101}}, {{}, {{Skip::malformed_packet, 1}}}},
      {"version 5", {{Bytes{0x55} + part(a4, 1), 101}}, {{}, {{Skip::not_ip, 1}}}},
      {"hop by hop, then destination options",
       {{ipv6(extension(60) + extension(protocol_udp) + datagram, 0), 101}},
       {found6, {}}},
      {"routing header", {{ipv6(extension(protocol_udp) + datagram, 43), 101}}, {found6, {}}},
      {"authentication header", {{ipv6(authentication + datagram, 51), 101}}, {found6, {}}},
      {"one fragment that is all", {{ipv6_fragment(protocol_udp, 0, false, datagram), 101}}, {found6, {}}},
      {"extension beyond the packet",
       {{ipv6(Bytes{protocol_udp, 9} + Bytes(6, 0), 0), 101}},
       {{}, {{Skip::malformed_packet, 1}}}},
      {"ESP", {{ipv6(datagram, 50), 101}}, {{}, {{Skip::other_protocol, 1}}}},
      {"ICMP", {{ipv4(Bytes(8, 0), {.protocol = 1}), 101}}, {{}, {{Skip::other_protocol, 1}}}},
  });
  Bytes chain;
  for (int i = 0; i < 20; ++i) chain = chain + extension(0);
  expect_all({{"twenty extensions", {{ipv6(chain, 0), 101}}, {{}, {{Skip::malformed_packet, 1}}}}});
}

TEST(CaptureDissector, Fragments) {
  const Bytes datagram = udp(query("split.a.test"));
  const auto piece = [&](std::size_t from, std::size_t length) {
    return Packet{ipv4(part(datagram, from, length),
                       {.fragment_offset = from, .more_fragments = from + length < datagram.size()}),
                  101};
  };
  const auto other = [](std::size_t offset, bool more, const Bytes& octets) {
    return Packet{ipv4(octets, {.fragment_offset = offset, .more_fragments = more}), 101};
  };
  const std::vector<std::string> found = {"udp split.a.test A 10.0.0.53"};
  const Bytes six = udp(query("split.a.test"));
  expect_all({
      {"two, cut within the name", {piece(0, 24), piece(24, 99)}, {found, {}}},
      {"three, backwards", {piece(32, 99), piece(16, 16), piece(0, 16)}, {found, {}}},
      {"one repeated", {piece(0, 24), piece(0, 24), piece(24, 99)}, {found, {}}},
      {"one missing", {piece(0, 16), piece(24, 99)}, {{}, {{Skip::fragment_incomplete, 1}}}},
      {"overlapping", {piece(0, 24), piece(16, 16), piece(32, 99)}, {{}, {{Skip::malformed_packet, 1}}}},
      {"overlapping the next", {piece(24, 99), piece(16, 16), piece(0, 16)}, {{}, {{Skip::malformed_packet, 1}}}},
      {"two ends", {other(24, false, Bytes(8, 0)), other(40, false, Bytes(8, 0))}, {{}, {{Skip::malformed_packet, 1}}}},
      {"beyond 65535 octets", {other(65528, false, Bytes(16, 0))}, {{}, {{Skip::malformed_packet, 1}}}},
      {"not a multiple of eight", {other(0, true, Bytes(9, 0))}, {{}, {{Skip::malformed_packet, 1}}}},
      {"empty", {other(8, true, {})}, {{}, {{Skip::malformed_packet, 1}}}},
      {"cut by the capture",
       {{piece(0, 24).octets, 101, 30}, piece(24, 99)},
       {{}, {{Skip::cut, 1}, {Skip::fragment_incomplete, 1}}}},
      {"IPv6, the second first",
       {{ipv6_fragment(protocol_udp, 24, false, part(six, 24)), 101},
        {ipv6_fragment(protocol_udp, 0, true, part(six, 0, 24)), 101}},
       {{"udp split.a.test A 2001:db8::53"}, {}}},
  });
}

TEST(CaptureDissector, DatagramsAndMessages) {
  const auto raw = [](const Bytes& datagram) { return std::vector<Packet>{{ipv4(datagram), 101}}; };
  const Bytes pointer = big16(0xC00C) + big16(1) + big16(1);
  const Bytes three = question("a.test") + question("b.test", 28) + question("c.test");
  Bytes unlikely = query("a.test");
  unlikely[11] = 200;  // additional records for which there is no room
  expect_all({
      {"a query", raw(udp(query("A.Test"))), {found4, {}}},
      {"the root", raw(udp(query(".", 2))), {{"udp . NS 10.0.0.53"}, {}}},
      {"three questions",
       raw(udp(message(three, 3))),
       {{"udp a.test A 10.0.0.53", "udp b.test AAAA 10.0.0.53", "udp c.test A 10.0.0.53"}, {}}},
      {"three promised, one there", raw(udp(message(question("a.test"), 3))), {found4, {}}},
      {"a response to a client",
       raw(udp(message(question("a.test"), 1, 0x8180), 40000, 53)),
       {{}, {{Skip::response, 1}}}},
      {"a response to the DNS port",
       raw(udp(message(question("a.test"), 1, 0x8180), 53, 53)),
       {{}, {{Skip::not_query, 1}}}},
      {"a query from the DNS port", raw(udp(query("a.test"), 53, 53)), {found4, {}}},
      {"NOTIFY", raw(udp(message(question("a.test"), 1, 0x2000))), {{}, {{Skip::not_query, 1}}}},
      {"UPDATE", raw(udp(message(question("a.test"), 1, 0x2800))), {{}, {{Skip::not_query, 1}}}},
      {"no question", raw(udp(message({}, 0))), {{}, {{Skip::not_query, 1}}}},
      {"nine questions", raw(udp(message(three, 9))), {{}, {{Skip::not_query, 1}}}},
      {"another port", raw(udp(query("a.test"), 5353)), {{}, {{Skip::other_port, 1}}}},
      {"eleven octets", raw(udp(Bytes(11, 0))), {{}, {{Skip::not_query, 1}}}},
      {"no octets", raw(udp({})), {{}, {{Skip::not_query, 1}}}},
      {"a pointer for a name", raw(udp(message(pointer))), {{}, {{Skip::malformed_question, 1}}}},
      {"a name without its end", raw(udp(message({1, 'a', 1, 'b'}))), {{}, {{Skip::malformed_question, 1}}}},
      {"no record type", raw(udp(message(wire_name("a.test")))), {{}, {{Skip::malformed_question, 1}}}},
      {"more records than octets", raw(udp(unlikely)), {found4, {{Skip::not_query, 1}}}},
      {"UDP length beyond the packet",
       raw(big16(1) + big16(53) + big16(99) + big16(0) + query("a.test")),
       {{}, {{Skip::malformed_packet, 1}}}},
      {"UDP length below its header",
       raw(big16(1) + big16(53) + big16(7) + big16(0) + query("a.test")),
       {{}, {{Skip::malformed_packet, 1}}}},
      {"half a UDP header", raw(Bytes(4, 0)), {{}, {{Skip::malformed_packet, 1}}}},
  });
}

TEST(CaptureDissector, PaddingIsNoPartOfAStream) {
  const auto padded = [](const Bytes& segment) {
    return Packet{ethernet(ipv4(segment, {.protocol = protocol_tcp}) + Bytes(6, 0x42))};
  };
  const Bytes octets = in_stream(query("a.test"));
  const std::vector<std::string> found = {"tcp a.test A 10.0.0.53"};
  expect_all({{"a query in two padded frames",
               {padded(tcp(9, {}, tcp_syn)), padded(tcp(10, part(octets, 0, 5))), padded(tcp(15, part(octets, 5)))},
               {found, {}}},
              {"half a TCP header", {padded(Bytes(10, 0))}, {{}, {{Skip::malformed_packet, 1}}}}});
}

TEST(CaptureDissector, PacketsThatTheCaptureCut) {
  const Bytes records = Bytes(200, 0);
  const Bytes frame = ethernet(ipv4(udp(query("a.test") + records)));
  const std::size_t question_end = 14 + 20 + 8 + 12 + 8 + 4;
  const auto cut_to = [&](std::size_t length) { return std::vector<Packet>{{frame, 1, length}}; };
  expect_all({
      {"behind the question", cut_to(question_end), {found4, {}}},
      {"within the question", cut_to(question_end - 1), {{}, {{Skip::cut, 1}}}},
      {"within the DNS header", cut_to(14 + 20 + 8 + 5), {{}, {{Skip::cut, 1}}}},
      {"within the UDP header", cut_to(14 + 20 + 5), {{}, {{Skip::cut, 1}}}},
      {"within the IP header", cut_to(14 + 10), {{}, {{Skip::cut, 1}}}},
  });
}

// The third name begins in the last two octets that the parser reads. Were its offsets to wrap around, the message's id
// would be its end.
TEST(CaptureDissector, QuestionsBeyondTheParsersReach) {
  const std::string label(60, 'x');
  const std::string longest = label + "." + label + "." + label + "." + label;
  Bytes dns = message(question(longest) + question(longest) + question("a.test"), 3);
  dns[0] = dns[1] = 0;
  const std::string found = "udp " + longest + " A 10.0.0.53";
  EXPECT_EQ(dissect({{ipv4(udp(dns)), 101}}).questions, (std::vector<std::string>{found, found}));
}

}  // namespace
}  // namespace nslookout::capture
