// Puts fragmented IP datagrams together (RFC 791 section 3.2, RFC 8200 section 4.5).
//
// Invariants: octets held are bounded, and so is the number of datagrams; the oldest gives way. A repeated fragment is
// ignored; fragments that overlap otherwise make their datagram malformed (RFC 5722, here for IPv4 too: two answers to
// what it says would be one too many). A datagram that is never complete is counted once, by the time finish() returns.
// Thread rule: one thread.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <vector>

#include "capture/counts.h"
#include "capture/ip.h"

namespace nslookout::capture {

struct FragmentLimits {
  std::size_t datagrams = 1024;
  std::size_t octets = std::size_t{16} << 20;
};

class Fragments {
 public:
  explicit Fragments(Counts& counts, FragmentLimits limits = {}) : counts_(counts), limits_(limits) {}

  // The whole payload when this fragment was the last one missing; its octets are valid until the next call. The
  // payload's fragment must be set.
  [[nodiscard]] std::optional<IpPayload> add(const IpPayload& fragment);

  void finish();

 private:
  struct Key {
    std::uint8_t family = 0;
    std::uint8_t protocol = 0;  // 0 for IPv6, which does not have it in the key
    std::uint32_t id = 0;
    Address source, destination;

    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Datagram {
    Key key;
    std::uint8_t protocol = 0;  // as the first fragment says
    std::vector<std::uint8_t> octets;
    std::map<std::size_t, std::size_t> pieces;  // begin -> end, none touching another's octets
    std::optional<std::size_t> length;          // known once the last fragment came
    bool refused = false;                       // malformed: kept so that its other fragments do not start anew
  };
  using Position = std::list<Datagram>::iterator;
  enum class Placed { yes, repeated, overlaps };

  [[nodiscard]] Position datagram_of(const IpPayload& fragment);
  [[nodiscard]] Placed place(Datagram& datagram, const IpPayload& fragment);
  [[nodiscard]] static bool complete(const Datagram& datagram);
  void refuse(Datagram& datagram);
  void forget_oldest(const Datagram& but_not);
  void forget(Position position);

  Counts& counts_;
  FragmentLimits limits_;
  std::list<Datagram> oldest_first_;
  std::map<Key, Position> datagrams_;
  std::size_t held_ = 0;
  std::vector<std::uint8_t> assembled_;
};

}  // namespace nslookout::capture
