// What stands at the end of an output: it makes records of events and takes records in batches, in order.
//
// Invariant: a record that deliver() reports as done and not refused has been handed to the destination as far as its
// protocol can tell; the others are untouched and may be given again.
// Thread rule: encode() any thread; deliver() one thread; the rest any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "event/event.h"
#include "sink/write_all.h"

namespace nslookout::sink {

// What became of a batch. Counted from its front.
struct Delivery {
  std::size_t done = 0;               // need not be given again
  std::size_t refused = 0;            // of those, the ones that the destination will never take: too large, malformed
  std::optional<Error> error = {};    // why the rest was not taken, or some were refused
  std::chrono::milliseconds wait{0};  // how long the destination asked to be left alone; 0: it did not say
};

struct BatchLimits {
  std::size_t records = 1;
  std::size_t octets = std::size_t{1} << 20;
};

class Receiver {
 public:
  Receiver() = default;
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  Receiver(Receiver&&) = delete;
  Receiver& operator=(Receiver&&) = delete;
  virtual ~Receiver() = default;

  [[nodiscard]] virtual Result<std::string> encode(const event::Event& event) const = 0;
  [[nodiscard]] virtual Delivery deliver(std::span<const std::string> records) = 0;
  [[nodiscard]] virtual BatchLimits limits() const { return {}; }

  // Called when there is nothing to deliver and reopen() was asked for, and at the end.
  virtual void idle() {}
  // A file is to be opened anew before the next record.
  virtual void reopen() {}
  // A deliver() under way returns soon, with what it has got done; later ones need not try.
  virtual void cancel() {}
  // No later delivery can succeed.
  [[nodiscard]] virtual bool finished() const { return false; }
};

// For a destination on this host that takes one record after the other: up to the first that write (Result<void>) refuses.
template <typename Write>
[[nodiscard]] Delivery deliver_each(std::span<const std::string> records, Write write) {
  Delivery delivery;
  for (const std::string& record : records) {
    if (const auto written = write(record); !written) {
      delivery.error = written.error();
      delivery.wait = local_pause;
      break;
    }
    ++delivery.done;
  }
  return delivery;
}

}  // namespace nslookout::sink
