#include "sink/courier.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/quiet_thread.h"
#include "base/text.h"

namespace nslookout::sink {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds first_pause{100};
constexpr milliseconds longest_pause{10'000};
constexpr milliseconds longest_asked_pause{300'000};
// For a receiver to notice that it was cancelled.
constexpr milliseconds grace{1000};

}  // namespace

struct Courier::State {
  std::string name;
  std::shared_ptr<RecordSource> source;
  std::shared_ptr<Receiver> receiver;

  std::atomic<std::uint64_t> delivered = 0;
  std::atomic<std::uint64_t> lost = 0;

  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;   // no more than one try for what is left, if the last one failed
  bool abandoned = false;  // not even that
  bool hurry = false;      // the next try is not put off
  bool ended = false;
  std::string trouble;
  std::string told;  // the trouble that the log tells of
  milliseconds pause{0};

  std::vector<std::string> batch;  // the thread's own

  void run();
  void deliver_batch();
  void account(const Delivery& delivery);
  void note_trouble(const Delivery& delivery);
  void note_success();
  void wait_before_next_try(milliseconds asked);
  [[nodiscard]] bool gives_up();
};

// Whether what is left stays where it is.
bool Courier::State::gives_up() {
  const std::lock_guard lock(mutex);
  if (abandoned) return true;
  return stopping && !trouble.empty() && source->durable();
}

void Courier::State::run() {
  while (!gives_up()) {
    if (batch.empty()) batch = source->take(receiver->limits());
    if (batch.empty()) {
      if (source->closed()) break;
      receiver->idle();
      continue;
    }
    deliver_batch();
  }
  if (!source->durable()) lost += source->waiting();
  receiver->idle();
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

void Courier::State::deliver_batch() {
  const Delivery delivery = receiver->deliver(batch);
  account(delivery);
  if (!delivery.error) {
    note_success();
    return;
  }
  note_trouble(delivery);
  if (batch.empty() || receiver->finished()) {
    // What the destination refused is counted, and the next record may please it; one that takes nothing is no reason to
    // hold what comes.
    if (receiver->finished()) {
      lost += batch.size();
      source->done(batch.size());
      batch.clear();
    }
    return;
  }
  wait_before_next_try(delivery.wait);
}

void Courier::State::account(const Delivery& delivery) {
  delivered += delivery.done - delivery.refused;
  lost += delivery.refused;
  batch.erase(batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(delivery.done));
  if (delivery.done > 0) source->done(delivery.done);
  if (delivery.done > delivery.refused) {
    const std::lock_guard lock(mutex);
    pause = milliseconds{0};
  }
}

void Courier::State::note_trouble(const Delivery& delivery) {
  const std::lock_guard lock(mutex);
  trouble = delivery.error->message;
  if (std::exchange(told, trouble) == trouble) return;
  if (delivery.refused > 0) {
    log::error("output {}: {} refused: {}", name, counted(delivery.refused, "event"), trouble);
  } else {
    log::warning("output {}: {}; events wait", name, trouble);
  }
}

void Courier::State::note_success() {
  const std::lock_guard lock(mutex);
  trouble.clear();
  if (std::exchange(told, "").empty()) return;
  log::notice("output {} takes events again", name);
}

void Courier::State::wait_before_next_try(milliseconds asked) {
  std::unique_lock lock(mutex);
  pause = pause == milliseconds{0} ? first_pause : std::min(pause * 2, longest_pause);
  const milliseconds wait = asked > milliseconds{0} ? std::min(asked, longest_asked_pause) : pause;
  // The end is worth one more try at once.
  changed.wait_for(lock, wait, [&] { return abandoned || hurry; });
  hurry = false;
}

Courier::Courier(std::string name, std::shared_ptr<RecordSource> source, std::shared_ptr<Receiver> receiver)
    : state_(std::make_shared<State>()) {
  state_->name = std::move(name);
  state_->source = std::move(source);
  state_->receiver = std::move(receiver);
  // Detached, so that a thread that hangs in a library cannot hold the end of the agent; it owns its state.
  start_quiet_thread([state = state_] { state->run(); }).detach();
}

Courier::~Courier() {
  if (!stopped_) stop(Clock::now());
}

void Courier::try_now() {
  const std::lock_guard lock(state_->mutex);
  state_->hurry = true;
  state_->changed.notify_all();
}

void Courier::begin_to_stop() {
  state_->source->close();
  {
    const std::lock_guard lock(state_->mutex);
    if (std::exchange(state_->stopping, true)) return;
  }
  try_now();
}

void Courier::stop(Clock::time_point until) {
  stopped_ = true;
  State& state = *state_;
  begin_to_stop();
  std::unique_lock lock(state.mutex);
  const auto ended = [&] { return state.ended; };
  if (state.changed.wait_until(lock, until, ended)) return;
  state.abandoned = true;
  state.changed.notify_all();
  lock.unlock();
  state.receiver->cancel();
  lock.lock();
  if (state.changed.wait_for(lock, grace, ended)) return;
  if (!state.source->durable()) state.lost += state.source->waiting();
}

std::uint64_t Courier::delivered() const { return state_->delivered; }
std::uint64_t Courier::lost() const { return state_->lost; }

std::string Courier::trouble() const {
  const std::lock_guard lock(state_->mutex);
  return state_->trouble;
}

}  // namespace nslookout::sink
