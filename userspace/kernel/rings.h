// The ring buffers of the sensor, read by one thread in turns.
//
// Whoever fills a ring faster than it is read keeps neither the other rings waiting nor the caller: each ring has its time in
// each turn, and what is left comes in the next one. (A libbpf manager of several rings reads the first until it is empty.)
// Source: BPF_MAP_TYPE_RINGBUF, Linux 5.8. Thread rule: one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nslookout::kernel {

class Rings {
 public:
  using Take = std::function<void(std::string_view record)>;

  Rings();
  Rings(const Rings&) = delete;
  Rings& operator=(const Rings&) = delete;
  Rings(Rings&&) noexcept;
  Rings& operator=(Rings&&) noexcept;
  ~Rings();

  // what: for the error, "telemetry". The map's descriptor is the caller's. Error: runtime.
  [[nodiscard]] Result<void> add(int map_fd, std::string_view what, Take take);
  // One whose records follow upon those of the rings added before it, and must not overtake them: it is read in turns that left
  // nothing in those.
  [[nodiscard]] Result<void> add_following(int map_fd, std::string_view what, Take take);

  // Waits at most timeout until there is something, or not at all while there is more(); hands over what is there, of each ring
  // for at most this time. Returns how many records. Error: runtime.
  [[nodiscard]] Result<std::size_t> poll(std::chrono::milliseconds timeout,
                                         std::chrono::milliseconds turn = std::chrono::milliseconds{50});

  // Whether a ring had more in the last turn than there was time for.
  [[nodiscard]] bool more() const { return more_; }

 private:
  struct Ring;
  std::vector<std::unique_ptr<Ring>> rings_;
  bool more_ = false;
};

}  // namespace nslookout::kernel
