#include "health/vitals.h"

#include <utility>

namespace nslookout::health {

Vitals::Shared Vitals::ask(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  // asked_ is set and cleared under the lock, so the next answer was begun after this.
  asked_.store(true, std::memory_order_relaxed);
  const std::uint64_t before = answers_;
  answered_.wait_for(lock, patience, [&] { return closed_ || answers_ != before; });
  return answers_ != before ? last_ : nullptr;
}

void Vitals::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  answered_.notify_all();
}

void Vitals::answer(const std::function<Snapshot()>& make) {
  const std::lock_guard lock(mutex_);
  asked_.store(false, std::memory_order_relaxed);
  last_ = std::make_shared<const Snapshot>(make());
  ++answers_;
  answered_.notify_all();
}

}  // namespace nslookout::health
