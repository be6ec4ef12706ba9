#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "event_samples.h"
#include "sink/queued_sink.h"
#include "sink_fixture.h"

namespace nslookout::sink {
namespace {

using event::small_event;
using std::chrono::seconds;
using Names = std::vector<std::string>;

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

// A receiver that is up, down or hangs, as the test has it. It takes dns.query of each event.
class Fake : public Receiver {
 public:
  enum class State { up, down, busy, hanging, refusing };

  [[nodiscard]] Result<std::string> encode(const event::Event& event) const override { return event.dns->query; }

  [[nodiscard]] Delivery deliver(std::span<const std::string> records) override {
    std::unique_lock lock(mutex_);
    ++tries_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return state_ != State::hanging || cancelled_; });
    if (state_ == State::hanging || state_ == State::down)
      return {.error = Error{ErrorClass::runtime, "nobody is there"}};
    if (state_ == State::busy) return {.error = Error{ErrorClass::runtime, "later"}, .wait = std::chrono::minutes{5}};
    if (state_ == State::refusing) {
      return {.done = records.size(), .refused = records.size(), .error = Error{ErrorClass::runtime, "too large"}};
    }
    received_.insert(received_.end(), records.begin(), records.end());
    changed_.notify_all();
    return {.done = records.size()};
  }
  [[nodiscard]] BatchLimits limits() const override { return {.records = 2}; }
  void cancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }

  void become(State state) {
    const std::lock_guard lock(mutex_);
    state_ = state;
    changed_.notify_all();
  }
  [[nodiscard]] Names wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, seconds{30}, [&] { return received_.size() >= count; });
    return received_;
  }
  void wait_for_a_try() {
    std::unique_lock lock(mutex_);
    const bool tried = changed_.wait_for(lock, seconds{30}, [&] { return tries_ > 0; });
    EXPECT_TRUE(tried);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::up;
  int tries_ = 0;
  bool cancelled_ = false;
  Names received_;
};

class SinkQueued : public SinkTest {
 protected:
  std::unique_ptr<Sink> open(const std::shared_ptr<Fake>& receiver, Spec spec = {}) {
    std::shared_ptr<Spool> spool;
    if (!spec.spool.empty()) {
      auto opened = Spool::open(spec.spool, spec.spool_cap);
      // a thread of the output before may still be on its way out of it
      for (const auto until = in(seconds{30}); !opened && std::chrono::steady_clock::now() < until;) {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
        opened = Spool::open(spec.spool, spec.spool_cap);
      }
      EXPECT_TRUE(opened) << opened.error().message;
      spool = *opened;
    }
    return std::make_unique<QueuedSink>("fake", spec, receiver, spool, WhenFull::drop);
  }

  [[nodiscard]] Spec spooled() const {
    Spec spec;
    spec.spool = path("spool");
    return spec;
  }

  static Names write(Sink& sink, int from, int to) {
    Names names;
    for (int i = from; i < to; ++i) {
      names.push_back(std::to_string(i));
      EXPECT_TRUE(sink.write(small_event(names.back())));
    }
    return names;
  }
};

TEST_F(SinkQueued, DeliversInOrder) {
  const auto receiver = std::make_shared<Fake>();
  const auto sink = open(receiver);
  const Names names = write(*sink, 0, 100);
  sink->close(in(seconds{30}));
  EXPECT_EQ(receiver->wait_for(100), names);
  EXPECT_EQ(sink->status().delivered, 100u);
  EXPECT_EQ(sink->status().lost, 0u);
  EXPECT_EQ(sink->status().waiting, 0u);
}

TEST_F(SinkQueued, AReceiverThatComesBackGetsEverythingInOrder) {
  for (const Spec& spec : {Spec{}, spooled()}) {
    const auto receiver = std::make_shared<Fake>();
    receiver->become(Fake::State::down);
    const auto sink = open(receiver, spec);
    const Names names = write(*sink, 0, 50);
    receiver->wait_for_a_try();
    receiver->become(Fake::State::up);
    EXPECT_EQ(receiver->wait_for(50), names);
    sink->close(in(seconds{30}));
    EXPECT_EQ(sink->status().lost, 0u);
    EXPECT_EQ(sink->status().trouble, "");
  }
}

TEST_F(SinkQueued, WithoutRoomTheNewestAreDroppedAndCounted) {
  const auto receiver = std::make_shared<Fake>();
  receiver->become(Fake::State::hanging);
  Spec spec;
  spec.queue_octets = 10;
  const auto sink = open(receiver, spec);
  write(*sink, 0, 1);
  receiver->wait_for_a_try();
  const Names names = write(*sink, 10, 20);  // two octets each
  EXPECT_EQ(sink->status().lost, 5u);
  receiver->become(Fake::State::up);
  EXPECT_EQ(receiver->wait_for(6), (Names{"0", "10", "11", "12", "13", "14"}));
}

TEST_F(SinkQueued, WhatAReceiverRefusesIsCountedAndNotTriedAgain) {
  const auto receiver = std::make_shared<Fake>();
  receiver->become(Fake::State::refusing);
  const auto sink = open(receiver);
  write(*sink, 0, 3);
  sink->close(in(seconds{30}));
  EXPECT_EQ(sink->status().lost, 3u);
  EXPECT_EQ(sink->status().delivered, 0u);
}

TEST_F(SinkQueued, ClosingIsBoundedAndCountsWhatIsLeft) {
  for (const Fake::State state : {Fake::State::down, Fake::State::hanging}) {
    const auto receiver = std::make_shared<Fake>();
    receiver->become(state);
    const auto sink = open(receiver);
    write(*sink, 0, 5);
    sink->close(in(std::chrono::milliseconds{100}));
    EXPECT_EQ(sink->status().lost, 5u);
  }
}

// Whatever its place among the outputs, and for however long it was asked to wait.
TEST_F(SinkQueued, TheEndTriesAgainBeforeItIsThisOutputsTurn) {
  for (const Spec& spec : {Spec{}, spooled()}) {
    const auto receiver = std::make_shared<Fake>();
    receiver->become(Fake::State::busy);
    const auto sink = open(receiver, spec);
    const Names names = write(*sink, 0, 3);
    receiver->wait_for_a_try();
    receiver->become(Fake::State::up);
    sink->hurry();
    EXPECT_EQ(receiver->wait_for(3), names);
    sink->close(in(std::chrono::milliseconds{0}));
    EXPECT_EQ(sink->status().lost, 0u);
  }
}

TEST_F(SinkQueued, WithASpoolWhatIsLeftIsThereAtTheNextStart) {
  Names names;
  {
    const auto receiver = std::make_shared<Fake>();
    receiver->become(Fake::State::down);
    const auto sink = open(receiver, spooled());
    names = write(*sink, 0, 20);
    sink->close(in(seconds{30}));
    EXPECT_EQ(sink->status().lost, 0u);
    EXPECT_EQ(sink->status().waiting, 20u);
  }
  const auto receiver = std::make_shared<Fake>();
  const auto sink = open(receiver, spooled());
  const Names later = write(*sink, 20, 25);
  names.insert(names.end(), later.begin(), later.end());
  EXPECT_EQ(receiver->wait_for(25), names);
}

TEST_F(SinkQueued, AFullSpoolDropsTheNewestAndCountsThem) {
  const auto receiver = std::make_shared<Fake>();
  receiver->become(Fake::State::down);
  Spec spec = spooled();
  spec.spool_cap = 65536;
  const auto sink = open(receiver, spec);
  const std::string wide(1000, 'x');
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(sink->write(small_event(wide)));
  sink->close(in(seconds{30}));
  const SinkStatus status = sink->status();
  EXPECT_EQ(status.waiting, 65536u / 1008u);
  EXPECT_EQ(status.lost, 100u - 65536u / 1008u);
}

}  // namespace
}  // namespace nslookout::sink
