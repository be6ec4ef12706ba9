// A stream of messages over TCP, cut into segments that come in any order, overlap and repeat one another, against the
// same stream read in one piece.
//
// Input: an octet with the number of segments; for each an octet where it begins and one with its length, both in
// parts of 255 of the stream; what is left is the stream.
#include <algorithm>
#include <vector>

#include "capture/tcp_streams.h"
#include "octets.h"

namespace nslookout::fuzz {
namespace {

struct Message {
  std::vector<std::uint8_t> octets;
  std::size_t full_length = 0;
  bool incomplete = false;

  bool operator==(const Message&) const = default;
};

// Few, so that a short stream has messages of which only the beginning is kept.
constexpr std::size_t kept_octets = 48;

capture::StreamSide short_side() {
  capture::StreamSide side = capture::client_side();
  side.kept_octets = kept_octets;
  return side;
}

std::vector<Message> in_one_piece(capture::Octets stream) {
  std::vector<Message> messages;
  while (stream.size() >= 2) {
    const std::size_t length = capture::read16(stream, 0);
    const std::size_t kept = std::min({length, kept_octets, stream.size() - 2});
    const capture::Octets octets = stream.subspan(2, kept);
    messages.push_back({{octets.begin(), octets.end()}, length, kept < std::min(length, kept_octets)});
    stream = stream.subspan(std::min(stream.size(), 2 + length));
  }
  return messages;
}

void check(Octets octets) {
  const std::uint32_t before_first = 0xFFFFFFFF - octets.octet();  // so that sequence numbers wrap, or do not
  struct Piece {
    std::size_t begin, length;
  };
  std::vector<Piece> pieces(octets.octet() % 64);
  for (Piece& piece : pieces) piece = {octets.octet(), octets.octet()};
  const std::vector<std::uint8_t> stream(octets.rest().begin(), octets.rest().end());

  std::vector<Message> messages;
  capture::Counts counts;
  capture::TcpStreams streams(
      counts,
      [&](const capture::Flow&, const capture::StreamMessage& message) {
        messages.push_back({{message.octets.begin(), message.octets.end()}, message.full_length, message.incomplete});
      },
      {}, short_side());
  const capture::Flow flow{4, {}, {}, 40000, 53};
  streams.add(flow, {std::nullopt, before_first, true, {}, 0});
  const auto add = [&](std::size_t begin, std::size_t length) {
    // a copy of its own, so that the sanitizer sees a read behind it
    const std::vector<std::uint8_t> part(stream.begin() + static_cast<std::ptrdiff_t>(begin),
                                         stream.begin() + static_cast<std::ptrdiff_t>(begin + length));
    const auto sequence = before_first + 1 + static_cast<std::uint32_t>(begin);
    streams.add(flow, {std::nullopt, sequence, false, part, length});
  };
  for (const Piece& piece : pieces) {
    const std::size_t begin = std::min(stream.size(), piece.begin * (stream.size() / 255 + 1));
    add(begin, std::min(stream.size() - begin, piece.length * (stream.size() / 255 + 1)));
  }
  add(0, stream.size());  // what is missing
  streams.finish();
  require(messages == in_one_piece(stream), "the messages are those of the stream in one piece");
  require(counts.of(capture::Skip::tcp_gap) == 0, "nothing is missing");
}

}  // namespace
}  // namespace nslookout::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  nslookout::fuzz::check({octets, size});
  return 0;
}
