// capture/tcp_streams: from segments, in whatever order and cut, to messages.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "capture/dissector.h"
#include "capture/tcp_streams.h"
#include "capture_packets.h"
#include "event/candidate.h"

namespace nslookout::capture {
namespace {

// The names asked for by packets of one client, in the order in which they are found.
struct Outcome {
  std::vector<std::string> names;
  Counts counts;
};

Outcome follow(const std::vector<Bytes>& segments) {
  Outcome outcome;
  Dissector dissector({}, [&](const Lookup& lookup) {
    outcome.names.push_back(event::describe_dns(lookup.question.candidate).query);
    return true;
  });
  for (const Bytes& segment : segments) {
    const Bytes packet = ipv4(segment, {.protocol = protocol_tcp});
    dissector.take({101, std::nullopt, packet, packet.size()});
  }
  dissector.finish();
  outcome.counts = dissector.counts();
  return outcome;
}

constexpr std::uint32_t start = 0xFFFFFFF0;  // the sequence numbers wrap within the first message
const Bytes syn = tcp(start - 1, {}, tcp_syn);
const Bytes a = in_stream(query("a.test"));
const Bytes b = in_stream(query("b.test"));
const Bytes c = in_stream(query("c.test"));
const Bytes abc = a + b + c;
const std::vector<std::string> all = {"a.test", "b.test", "c.test"};

// Octets from..from+length of the stream abc.
Bytes segment(std::size_t from, std::size_t length = 9999) {
  return tcp(start + static_cast<std::uint32_t>(from), part(abc, from, length));
}

TEST(CaptureTcpStreams, SegmentsToNames) {
  const std::size_t one = a.size();
  const Bytes long_message = in_stream(query("long.test") + Bytes(3000, 0));
  struct Case {
    std::string shape;
    std::vector<Bytes> segments;
    std::vector<std::string> names;
    std::map<Skip, std::uint64_t> skipped = {};
  };
  const std::vector<Case> cases = {
      {"three messages in one segment", {syn, segment(0)}, all},
      {"a message over three segments", {syn, segment(0, 1), segment(1, 10), segment(11)}, all},
      {"the prefix alone", {syn, segment(0, 2), segment(2)}, all},
      {"data on the SYN", {tcp(start - 1, abc, tcp_syn)}, all},
      {"SYN repeated", {syn, segment(0, 10), syn, segment(10)}, all},
      {"repeated", {syn, segment(0, 10), segment(0, 10), segment(10)}, all, {{Skip::tcp_retransmitted, 1}}},
      {"repeated with more", {syn, segment(0, 10), segment(4)}, all, {{Skip::tcp_retransmitted, 1}}},
      {"second before first", {syn, segment(10), segment(0, 10)}, all},
      {"backwards", {syn, segment(50), segment(20, 30), segment(0, 20)}, all},
      {"repeated while it waits", {syn, segment(10), segment(10), segment(0, 10)}, all, {{Skip::tcp_retransmitted, 1}}},
      {"overlapping while it waits",
       {syn, segment(10, 20), segment(20), segment(0, 12)},
       all,
       {{Skip::tcp_retransmitted, 2}}},
      {"a keep-alive",
       {syn, segment(0), tcp(start + static_cast<std::uint32_t>(abc.size()) - 1, {0})},
       all,
       {{Skip::tcp_retransmitted, 1}}},
      {"a long message, then another", {syn, tcp(start, long_message + c)}, {"long.test", "c.test"}},
      {"a hole within what is passed over",
       {syn, tcp(start, part(long_message, 0, 1000)), tcp(start + 2000, part(long_message, 2000) + c)},
       {"long.test", "c.test"}},
      {"a hole, then a message", {syn, segment(0, one), segment(2 * one)}, {"a.test", "c.test"}, {{Skip::tcp_gap, 1}}},
      {"a hole, then the middle of one",
       {syn, segment(0, one), segment(one + 9, 9), segment(2 * one)},
       {"a.test", "c.test"},
       {{Skip::tcp_gap, 2}, {Skip::tcp_unsynchronised, 1}}},
      {"no SYN, a message first", {segment(0)}, all},
      {"no SYN, the middle of one first",
       {segment(5, 10), segment(15, one - 15), segment(one)},
       {"b.test", "c.test"},
       {{Skip::tcp_unsynchronised, 2}}},
      {"ends within a message", {syn, segment(0, one + 10)}, {"a.test"}, {{Skip::tcp_incomplete, 1}}},
      {"ends behind a question", {syn, tcp(start, part(long_message, 0, 100))}, {"long.test"}},
      {"the ports used again", {syn, tcp(start, a), tcp(5000, {}, tcp_syn), tcp(5001, b)}, {"a.test", "b.test"}},
      {"the ports used again, without SYN", {syn, tcp(start, a), tcp(0x70000000, b)}, {"a.test", "b.test"}},
      {"an empty message between two",
       {syn, tcp(start, a + big16(0) + b)},
       {"a.test", "b.test"},
       {{Skip::not_query, 1}}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.shape);
    const Outcome outcome = follow(test.segments);
    EXPECT_EQ(outcome.names, test.names);
    for (std::size_t i = 0; i < skip_texts.size(); ++i) {
      const auto expected = test.skipped.find(static_cast<Skip>(i));
      EXPECT_EQ(outcome.counts.skipped[i], expected == test.skipped.end() ? 0 : expected->second) << skip_texts[i];
    }
  }
}

TEST(CaptureTcpStreams, AnySegmentationInAnyOrderGivesTheSameNames) {
  std::mt19937 random(20260331);
  for (int round = 0; round < 500; ++round) {
    std::vector<Bytes> segments;
    for (std::size_t from = 0; from < abc.size();) {
      const std::size_t length = 1 + random() % 30;
      segments.push_back(segment(from, length));
      if (random() % 4 == 0) segments.push_back(segment(from, length + random() % 5));
      from += length;
    }
    std::shuffle(segments.begin(), segments.end(), random);
    segments.insert(segments.begin(), syn);
    ASSERT_EQ(follow(segments).names, all) << "round " << round;
  }
}

// As long as only a capture can say that a packet was. What waits lies behind it by as much as two numbers can be apart.
TEST(CaptureTcpStreams, ASegmentOfHalfTheSequenceSpace) {
  Counts counts;
  std::vector<std::size_t> lengths;
  TcpStreams streams(counts, [&](const Flow&, const StreamMessage& found) { lengths.push_back(found.octets.size()); });
  const Flow flow{4, {}, {}, 40000, 53};
  streams.add(flow, {std::nullopt, 0, true, {}, 0});
  streams.add(flow, {std::nullopt, 31, false, b, b.size()});
  streams.add(flow, {std::nullopt, 1, false, a, 0x8000001E});
  streams.finish();
  EXPECT_EQ(lengths, std::vector{a.size() - 2});
  EXPECT_EQ(counts.of(Skip::tcp_gap), 1u);
  EXPECT_EQ(counts.of(Skip::tcp_retransmitted), 1u);
}

TEST(CaptureTcpStreams, WhatWaitsIsBounded) {
  Counts counts;
  std::vector<std::size_t> lengths;
  TcpStreams streams(counts, [&](const Flow&, const StreamMessage& found) { lengths.push_back(found.octets.size()); },
                     {.streams = 2, .waiting_segments = 3, .waiting_octets = 1000, .all_waiting_octets = 2000});
  const auto add = [&](std::uint16_t port, std::uint32_t sequence, const Bytes& octets) {
    streams.add({4, {}, {}, port, 53}, {std::nullopt, sequence, false, octets, octets.size()});
  };
  add(1, 0, a);
  const auto behind = [&](std::uint32_t i) { return 500 + i * static_cast<std::uint32_t>(b.size()); };
  for (std::uint32_t i = 0; i < 3; ++i) add(1, behind(i), b);
  EXPECT_EQ(lengths.size(), 1u);
  EXPECT_EQ(counts.of(Skip::tcp_gap), 0u);
  add(1, behind(3), b);
  EXPECT_EQ(lengths.size(), 5u) << "the fourth that waits ends the waiting for the hole";
  EXPECT_EQ(counts.of(Skip::tcp_gap), 1u);

  add(2, 0, part(a, 0, 10));
  EXPECT_EQ(counts.of(Skip::tcp_forgotten), 0u);
  add(3, 0, a);
  EXPECT_EQ(counts.of(Skip::tcp_forgotten), 1u);
}

}  // namespace
}  // namespace nslookout::capture
