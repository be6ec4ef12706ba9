#include "sink/record_queue.h"

#include <utility>

namespace nslookout::sink {

bool RecordQueue::fits(const std::string& record) const {
  return records_.empty() || octets_ + record.size() <= limit_;
}

bool RecordQueue::push(std::string record) {
  std::unique_lock lock(mutex_);
  if (when_full_ == WhenFull::wait) changed_.wait(lock, [&] { return closed_ || fits(record); });
  if (closed_ || !fits(record)) return false;
  // Whoever takes waits for the first record, and then perhaps for many. Woken without the lock, which it would only wait for
  // in its turn.
  const bool awaited = records_.empty() || (octets_ <= many() && octets_ + record.size() > many());
  octets_ += record.size();
  records_.push_back(std::move(record));
  lock.unlock();
  if (awaited) changed_.notify_all();
  return true;
}

std::vector<std::string> RecordQueue::take(const BatchLimits& limits) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || woken_ || !records_.empty(); });
  // One that comes by itself is taken at once. Of those that come one close after the other each would cost waking this thread.
  changed_.wait_until(lock, last_taken_ + linger, [&] { return closed_ || woken_ || octets_ > many(); });
  last_taken_ = std::chrono::steady_clock::now();
  woken_ = false;
  std::vector<std::string> taken;
  std::size_t octets = 0;
  while (!records_.empty() && taken.size() < limits.records) {
    octets += records_.front().size();
    if (!taken.empty() && octets > limits.octets) break;
    octets_ -= records_.front().size();
    taken.push_back(std::move(records_.front()));
    records_.pop_front();
  }
  in_flight_ += taken.size();
  changed_.notify_all();
  return taken;
}

void RecordQueue::done(std::size_t count) {
  const std::lock_guard lock(mutex_);
  in_flight_ -= count;
  changed_.notify_all();
}

void RecordQueue::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void RecordQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool RecordQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

std::size_t RecordQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return records_.size() + in_flight_;
}

bool RecordQueue::wait_empty(std::chrono::steady_clock::time_point until) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [&] { return records_.empty() && in_flight_ == 0; });
}

}  // namespace nslookout::sink
