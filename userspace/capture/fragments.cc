#include "capture/fragments.h"

#include <algorithm>

namespace nslookout::capture {
namespace {

constexpr std::size_t longest_datagram = 65535;

// Whether it is a piece that a whole datagram can have. RFC 8200 section 4.5: all but the last are multiples of eight.
bool is_well_formed(const IpPayload& fragment) {
  const FragmentPlace& place = *fragment.fragment;
  if (fragment.octets.empty() || place.offset + fragment.octets.size() > longest_datagram) return false;
  return !place.more || fragment.octets.size() % 8 == 0;
}

}  // namespace

Fragments::Position Fragments::datagram_of(const IpPayload& fragment) {
  const std::uint8_t protocol = fragment.family == 4 ? fragment.protocol : std::uint8_t{0};
  const Key key{fragment.family, protocol, fragment.fragment->id, fragment.source, fragment.destination};
  if (const auto found = datagrams_.find(key); found != datagrams_.end()) return found->second;
  oldest_first_.emplace_back().key = key;
  const auto added = std::prev(oldest_first_.end());
  datagrams_.emplace(key, added);
  return added;
}

Fragments::Placed Fragments::place(Datagram& datagram, const IpPayload& fragment) {
  const std::size_t begin = fragment.fragment->offset;
  const std::size_t end = begin + fragment.octets.size();
  const auto after = datagram.pieces.upper_bound(begin);
  if (after != datagram.pieces.begin()) {
    const auto& [previous_begin, previous_end] = *std::prev(after);
    if (previous_begin == begin && previous_end == end) return Placed::repeated;
    if (previous_end > begin) return Placed::overlaps;
  }
  if (after != datagram.pieces.end() && after->first < end) return Placed::overlaps;
  if (!fragment.fragment->more) {
    if (datagram.length || end < datagram.octets.size()) return Placed::overlaps;
    datagram.length = end;
  } else if (datagram.length && end > *datagram.length) {
    return Placed::overlaps;
  }

  datagram.pieces.emplace(begin, end);
  if (datagram.octets.size() < end) {
    held_ += end - datagram.octets.size();
    datagram.octets.resize(end);
  }
  std::copy(fragment.octets.begin(), fragment.octets.end(),
            datagram.octets.begin() + static_cast<std::ptrdiff_t>(begin));
  if (begin == 0) datagram.protocol = fragment.protocol;
  return Placed::yes;
}

bool Fragments::complete(const Datagram& datagram) {
  if (!datagram.length) return false;
  std::size_t covered = 0;
  for (const auto& [begin, end] : datagram.pieces) {
    if (begin != covered) return false;
    covered = end;
  }
  return covered == *datagram.length;
}

void Fragments::refuse(Datagram& datagram) {
  counts_.add(Skip::malformed_packet);
  held_ -= datagram.octets.size();
  datagram.octets = {};
  datagram.pieces.clear();
  datagram.refused = true;
}

void Fragments::forget(Position position) {
  if (!position->refused) counts_.add(Skip::fragment_incomplete);
  held_ -= position->octets.size();
  datagrams_.erase(position->key);
  oldest_first_.erase(position);
}

void Fragments::forget_oldest(const Datagram& but_not) {
  while ((datagrams_.size() > limits_.datagrams || held_ > limits_.octets) && &oldest_first_.front() != &but_not) {
    forget(oldest_first_.begin());
  }
}

std::optional<IpPayload> Fragments::add(const IpPayload& fragment) {
  if (fragment.octets.size() < fragment.full_length) {
    counts_.add(Skip::cut);
    return std::nullopt;
  }
  if (!is_well_formed(fragment)) {
    counts_.add(Skip::malformed_packet);
    return std::nullopt;
  }
  const auto position = datagram_of(fragment);
  if (position->refused) return std::nullopt;
  if (place(*position, fragment) == Placed::overlaps) {
    refuse(*position);
    return std::nullopt;
  }
  if (!complete(*position)) {
    forget_oldest(*position);
    return std::nullopt;
  }

  held_ -= position->octets.size();
  assembled_ = std::move(position->octets);
  IpPayload whole = fragment;
  whole.fragment.reset();
  whole.protocol = position->protocol;
  whole.octets = assembled_;
  whole.full_length = assembled_.size();
  datagrams_.erase(position->key);
  oldest_first_.erase(position);
  return whole;
}

void Fragments::finish() {
  while (!oldest_first_.empty()) forget(oldest_first_.begin());
}

}  // namespace nslookout::capture
