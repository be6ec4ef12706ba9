#include "capture/tcp_streams.h"

#include <algorithm>

#include "base/dns_response.h"
#include "bpf/abi.h"
#include "capture/questions.h"

namespace nslookout::capture {
namespace {

constexpr std::size_t prefix = 2;
constexpr std::int32_t farthest = 1 << 20;  // a segment farther off belongs to another connection of the same ports

// In the sequence space, which wraps (RFC 9293 section 3.4).
std::int32_t distance(std::uint32_t from, std::uint32_t to) { return static_cast<std::int32_t>(to - from); }

bool is_far(std::uint32_t from, std::uint32_t to) {
  return distance(from, to) > farthest || distance(from, to) < -farthest;
}

// Whether a message may begin here: a length that fits, and a question that is whole and plausible. Strict, because the
// octets of a message's middle must not pass for one.
bool begins_with_question(Octets octets) {
  if (octets.size() < prefix) return false;
  const std::size_t length = read16(octets, 0);
  const Octets message = octets.subspan(prefix, std::min(length, octets.size() - prefix));
  bool plausible = true;
  const auto read = read_questions(message, length, [&](const Question& question) { plausible &= question.plausible; });
  return read && plausible;
}

bool begins_with_response(Octets octets) {
  if (octets.size() < prefix) return false;
  const std::size_t length = read16(octets, 0);
  const Octets message = octets.subspan(prefix, std::min(length, octets.size() - prefix));
  const auto response = parse_dns_response({reinterpret_cast<const char*>(message.data()), message.size()});
  return message.size() == length && response && !response->damaged && !response->questions.empty();
}

// The rest of a segment whose first octets are not wanted.
Segment without_front(Segment segment, std::size_t octets) {
  segment.sequence += static_cast<std::uint32_t>(octets);
  segment.octets = segment.octets.subspan(std::min(octets, segment.octets.size()));
  segment.full_length -= octets;
  return segment;
}

}  // namespace

StreamSide client_side() { return {512, begins_with_question}; }

StreamSide server_side() { return {65535, begins_with_response}; }

TcpStreams::Position TcpStreams::stream_of(const Flow& flow, const Segment& segment) {
  if (const auto found = streams_.find(flow); found != streams_.end()) {
    oldest_first_.splice(oldest_first_.end(), oldest_first_, found->second);
    return found->second;
  }
  if (streams_.size() >= limits_.streams) {
    end(oldest_first_.front());
    counts_.add(Skip::tcp_forgotten);
    streams_.erase(oldest_first_.front().flow);
    oldest_first_.pop_front();
  }
  oldest_first_.emplace_back().flow = flow;
  const auto added = std::prev(oldest_first_.end());
  streams_.emplace(flow, added);
  restart(*added, segment);
  return added;
}

void TcpStreams::restart(Stream& stream, const Segment& segment) {
  stream.first = stream.next = segment.sequence + (segment.synchronise ? 1 : 0);
  stream.synchronised = segment.synchronise;
}

void TcpStreams::add(const Flow& flow, const Segment& original) {
  if (original.full_length == 0 && !original.synchronise) return;
  Stream& stream = *stream_of(flow, original);
  Segment segment = original;
  if (segment.synchronise) {
    ++segment.sequence;
    if (segment.sequence != stream.first) {
      end(stream);
      restart(stream, original);
    }
    segment.synchronise = false;
    if (segment.full_length == 0) return;
  } else if (is_far(stream.next, segment.sequence)) {
    end(stream);
    restart(stream, segment);
  }

  const std::int32_t ahead = distance(stream.next, segment.sequence);
  if (ahead < 0) {
    counts_.add(Skip::tcp_retransmitted);
    const std::size_t behind = stream.next - segment.sequence;
    if (behind >= segment.full_length) return;
    segment = without_front(segment, behind);
  }
  if (ahead > 0) {
    wait(stream, segment);
  } else {
    take(stream, segment);
    take_waiting(stream);
  }
}

void TcpStreams::wait(Stream& stream, const Segment& segment) {
  auto place = stream.waiting.end();
  while (place != stream.waiting.begin() && distance(std::prev(place)->sequence, segment.sequence) < 0) --place;
  if (place != stream.waiting.begin()) {
    const Waiting& before = *std::prev(place);
    if (before.sequence == segment.sequence && before.full_length >= segment.full_length) {
      counts_.add(Skip::tcp_retransmitted);
      return;
    }
  }
  stream.waiting.insert(
      place, {segment.sequence, segment.time, std::vector<std::uint8_t>(segment.octets.begin(), segment.octets.end()),
              segment.full_length});
  stream.waiting_octets += segment.octets.size();
  all_waiting_octets_ += segment.octets.size();
  while (stream.waiting.size() > limits_.waiting_segments || stream.waiting_octets > limits_.waiting_octets ||
         (all_waiting_octets_ > limits_.all_waiting_octets && !stream.waiting.empty())) {
    give_up_hole(stream);
  }
}

// In order: the segment begins with the first octet not seen.
void TcpStreams::take(Stream& stream, const Segment& segment) {
  stream.next = segment.sequence + static_cast<std::uint32_t>(segment.full_length);
  stream.time = segment.time;
  if (!stream.synchronised) {
    stream.synchronised = side_.begins_with_message(segment.octets);
    if (!stream.synchronised) counts_.add(Skip::tcp_unsynchronised);
  }
  if (!stream.synchronised) return;
  read(stream, segment.octets);
  if (segment.full_length > segment.octets.size()) lose(stream, segment.full_length - segment.octets.size());
}

void TcpStreams::take_waiting(Stream& stream) {
  while (!stream.waiting.empty()) {
    const std::int32_t ahead = distance(stream.next, stream.waiting.front().sequence);
    if (ahead > 0) return;
    const Waiting first = std::move(stream.waiting.front());
    stream.waiting.pop_front();
    stream.waiting_octets -= first.octets.size();
    all_waiting_octets_ -= first.octets.size();
    // by numbers without a sign: half of the sequence space is one more than a distance can be, negated
    const std::size_t behind = stream.next - first.sequence;
    if (behind != 0) counts_.add(Skip::tcp_retransmitted);
    if (behind >= first.full_length) continue;
    take(stream, without_front({first.time, first.sequence, false, first.octets, first.full_length}, behind));
  }
}

void TcpStreams::give_up_hole(Stream& stream) {
  const std::uint32_t resumes = stream.waiting.front().sequence;
  lose(stream, static_cast<std::size_t>(distance(stream.next, resumes)));
  stream.next = resumes;
  take_waiting(stream);
}

// The next octets of the stream are not in the capture. Within a message that was handed on they do no harm.
void TcpStreams::lose(Stream& stream, std::size_t octets) {
  if (stream.synchronised && octets <= stream.pass_over) {
    stream.pass_over -= octets;
    return;
  }
  counts_.add(Skip::tcp_gap);
  hand_on(stream, true);
  stream.pass_over = 0;
  stream.synchronised = false;
}

void TcpStreams::read(Stream& stream, Octets octets) {
  while (!octets.empty()) {
    if (stream.pass_over > 0) {
      const std::size_t passed = std::min(stream.pass_over, octets.size());
      stream.pass_over -= passed;
      octets = octets.subspan(passed);
      continue;
    }
    std::size_t wanted = prefix;
    if (stream.kept.size() >= prefix) wanted += std::min<std::size_t>(read16(stream.kept, 0), side_.kept_octets);
    const std::size_t taken = std::min(wanted - stream.kept.size(), octets.size());
    stream.kept.insert(stream.kept.end(), octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(taken));
    octets = octets.subspan(taken);
    if (stream.kept.size() < prefix) continue;
    const std::size_t length = read16(stream.kept, 0);
    if (stream.kept.size() < prefix + std::min(length, side_.kept_octets)) continue;
    stream.pass_over = length - std::min(length, side_.kept_octets);
    hand_on(stream, false);
  }
}

void TcpStreams::hand_on(Stream& stream, bool incomplete) {
  if (stream.kept.size() >= prefix) {
    const Octets kept(stream.kept);
    handler_(stream.flow, {kept.subspan(prefix), read16(kept, 0), stream.time, incomplete});
  }
  stream.kept.clear();
}

void TcpStreams::end(Stream& stream) {
  while (!stream.waiting.empty()) give_up_hole(stream);
  hand_on(stream, true);
  stream.pass_over = 0;
}

void TcpStreams::finish() {
  for (Stream& stream : oldest_first_) end(stream);
  streams_.clear();
  oldest_first_.clear();
}

}  // namespace nslookout::capture
