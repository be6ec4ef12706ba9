#include "kernel/rings.h"

#include <bpf/libbpf.h>
#include <poll.h>

#include <cerrno>

namespace nslookout::kernel {
namespace {

using Clock = std::chrono::steady_clock;

struct RingDelete {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

constexpr int turn_is_over = -ECANCELED;  // from the callback to whoever reads; libbpf hands it through

}  // namespace

struct Rings::Ring {
  Take take;
  std::unique_ptr<ring_buffer, RingDelete> buffer;
  bool follows = false;
  Clock::time_point until;
  std::size_t taken = 0;

  static int take_record(void* ring, void* record, std::size_t size) {
    auto& self = *static_cast<Ring*>(ring);
    self.take({static_cast<const char*>(record), size});
    ++self.taken;
    return Clock::now() < self.until ? 0 : turn_is_over;
  }
};

Rings::Rings() = default;
Rings::Rings(Rings&&) noexcept = default;
Rings& Rings::operator=(Rings&&) noexcept = default;
Rings::~Rings() = default;

Result<void> Rings::add(int map_fd, std::string_view what, Take take) {
  auto ring = std::make_unique<Ring>();
  ring->take = std::move(take);
  ring->buffer.reset(ring_buffer__new(map_fd, Ring::take_record, ring.get(), nullptr));
  if (!ring->buffer) return fail(ErrorClass::runtime, "opening the ring of {}: {}", what, errno_text(errno));
  rings_.push_back(std::move(ring));
  return {};
}

Result<void> Rings::add_following(int map_fd, std::string_view what, Take take) {
  auto added = add(map_fd, what, std::move(take));
  if (added) rings_.back()->follows = true;
  return added;
}

Result<std::size_t> Rings::poll(std::chrono::milliseconds timeout, std::chrono::milliseconds turn) {
  std::vector<pollfd> wanted;
  for (const auto& ring : rings_) wanted.push_back({ring_buffer__epoll_fd(ring->buffer.get()), POLLIN, 0});
  const int wait = more_ ? 0 : static_cast<int>(timeout.count());
  if (::poll(wanted.data(), wanted.size(), wait) < 0 && errno != EINTR) {
    return fail(ErrorClass::runtime, "waiting at the rings: {}", errno_text(errno));
  }
  // The programs do not always wake us (nsl_settings.wakeup_octets): what is there is taken after a time-out too.
  more_ = false;
  std::size_t taken = 0;
  for (const auto& ring : rings_) {
    if (ring->follows && more_) continue;
    ring->taken = 0;
    ring->until = Clock::now() + turn;
    const int consumed = ring_buffer__consume(ring->buffer.get());
    if (consumed < 0 && consumed != turn_is_over) {
      return fail(ErrorClass::runtime, "reading a ring: {}", errno_text(-consumed));
    }
    more_ = more_ || consumed == turn_is_over;
    taken += ring->taken;
  }
  return taken;
}

}  // namespace nslookout::kernel
