// DNS over TCP (RFC 1035 section 4.2.2, RFC 7766): the messages that one side sends in a stream, each behind its length
// in two octets, however the segments cut them.
//
// Segments that arrive out of order wait for those before them; octets that are repeated are passed over, the first copy
// counts. What the capture lacks is a hole: given up when too much waits behind it, or at the end. Behind a hole, and
// where the capture began within a connection, a segment that begins with what passes for a whole message of that side
// starts the stream anew.
// Invariants: of a message only the first octets are kept (StreamSide); streams and waiting octets are bounded.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "capture/counts.h"
#include "capture/ip.h"
#include "capture/octets.h"

namespace nslookout::capture {

// One direction of a connection.
struct Flow {
  std::uint8_t family = 4;
  Address source, destination;
  std::uint16_t source_port = 0, destination_port = 0;

  friend auto operator<=>(const Flow&, const Flow&) = default;
};

struct Segment {
  std::optional<WallTime> time;
  std::uint32_t sequence = 0;  // of the first octet; of the SYN where there is one
  bool synchronise = false;    // SYN
  Octets octets;
  std::size_t full_length = 0;  // on the wire; more than octets where the capture cut the packet
};

// The parts of a message: what was kept of it, its length by the prefix, and the time of the last segment that it took.
struct StreamMessage {
  Octets octets;
  std::size_t full_length = 0;
  std::optional<WallTime> time;
  bool incomplete = false;  // the stream was lost, or ended, before the kept part was whole
};

using MessageHandler = std::function<void(const Flow&, const StreamMessage&)>;

struct StreamLimits {
  std::size_t streams = 16384;
  std::size_t waiting_segments = 128;                 // of one stream
  std::size_t waiting_octets = std::size_t{1} << 17;  // of one stream
  std::size_t all_waiting_octets = std::size_t{32} << 20;
};

// Whose messages they are.
struct StreamSide {
  std::size_t kept_octets = 0;  // of a message
  bool (*begins_with_message)(Octets) = nullptr;
};

// The first 512 octets, as many as the parser of questions reads; a whole plausible question begins one.
[[nodiscard]] StreamSide client_side();
// Whole messages; a response that can be read to the end of its answers begins one.
[[nodiscard]] StreamSide server_side();

class TcpStreams {
 public:
  TcpStreams(Counts& counts, MessageHandler handler, const StreamLimits& limits = {}, StreamSide side = client_side())
      : counts_(counts), handler_(std::move(handler)), limits_(limits), side_(side) {}

  void add(const Flow& flow, const Segment& original);

  // Gives up what still waits.
  void finish();

 private:
  struct Waiting {
    std::uint32_t sequence;
    std::optional<WallTime> time;
    std::vector<std::uint8_t> octets;
    std::size_t full_length;
  };
  struct Stream {
    Flow flow;
    std::uint32_t first = 0;  // sequence of the first octet, or of the first that was seen
    std::uint32_t next = 0;   // sequence of the first octet not seen
    bool synchronised = false;
    std::size_t pass_over = 0;       // octets left of a message that was handed on
    std::vector<std::uint8_t> kept;  // of the message under way, its length prefix included
    std::optional<WallTime> time;    // of the last segment taken
    std::list<Waiting> waiting;      // in order of sequence
    std::size_t waiting_octets = 0;
  };
  using Position = std::list<Stream>::iterator;

  [[nodiscard]] Position stream_of(const Flow& flow, const Segment& segment);
  static void restart(Stream& stream, const Segment& segment);
  void wait(Stream& stream, const Segment& segment);
  void take(Stream& stream, const Segment& segment);
  void take_waiting(Stream& stream);
  void give_up_hole(Stream& stream);
  void lose(Stream& stream, std::size_t octets);
  void read(Stream& stream, Octets octets);
  void hand_on(Stream& stream, bool incomplete);
  void end(Stream& stream);

  Counts& counts_;
  MessageHandler handler_;
  StreamLimits limits_;
  StreamSide side_;
  std::list<Stream> oldest_first_;
  std::map<Flow, Position> streams_;
  std::size_t all_waiting_octets_ = 0;
};

}  // namespace nslookout::capture
