#include "sink/queued_sink.h"

#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace nslookout::sink {
namespace {

using Clock = std::chrono::steady_clock;

// Of a replay, for what its receivers have not taken when the capture is at its end.
constexpr std::chrono::seconds flush_patience{30};
constexpr std::chrono::seconds destruction_patience{1};

// The disk, as what the first courier brings its records to.
class SpoolReceiver : public Receiver {
 public:
  explicit SpoolReceiver(std::shared_ptr<Spool> spool) : spool_(std::move(spool)) {}

  [[nodiscard]] Result<std::string> encode(const event::Event& /*event*/) const override {
    return fail(ErrorClass::runtime, "the spool takes records");
  }
  [[nodiscard]] BatchLimits limits() const override { return {.records = 256}; }

  // A full spool drops what is new: what came first stays, in order.
  [[nodiscard]] Delivery deliver(std::span<const std::string> records) override {
    Delivery delivery;
    for (const std::string& record : records) {
      ++delivery.done;
      if (const auto appended = spool_->append(record); !appended) {
        ++delivery.refused;
        delivery.error = appended.error();
      }
    }
    return delivery;
  }

  // What was appended stays also when the machine stops. On this thread, which nobody waits for.
  void idle() override { spool_->sync(); }

 private:
  std::shared_ptr<Spool> spool_;
};

}  // namespace

Result<std::unique_ptr<Sink>> QueuedSink::open(std::string name, const Spec& spec, std::unique_ptr<Receiver> receiver,
                                               WhenFull when_full) {
  std::shared_ptr<Spool> spool;
  if (!spec.spool.empty()) {
    auto opened = Spool::open(spec.spool, spec.spool_cap);
    if (!opened) return fail(opened.error().context(fmt::format("output {}", name)));
    spool = std::move(*opened);
    if (const std::size_t waiting = spool->waiting(); waiting > 0) {
      log::notice("output {}: {} of an earlier run in the spool", name, counted(waiting, "event"));
    }
  }
  return std::make_unique<QueuedSink>(std::move(name), spec, std::move(receiver), std::move(spool), when_full);
}

QueuedSink::QueuedSink(std::string name, const Spec& spec, std::shared_ptr<Receiver> receiver,
                       std::shared_ptr<Spool> spool, WhenFull when_full)
    : name_(std::move(name)),
      when_full_(when_full),
      receiver_(std::move(receiver)),
      queue_(std::make_shared<RecordQueue>(spec.queue_octets, when_full)),
      spool_(std::move(spool)) {
  if (spool_) {
    to_spool_ = std::make_unique<Courier>(name_ + " (spool)", queue_, std::make_shared<SpoolReceiver>(spool_));
    courier_ = std::make_unique<Courier>(name_, spool_, receiver_);
  } else {
    courier_ = std::make_unique<Courier>(name_, queue_, receiver_);
  }
}

QueuedSink::~QueuedSink() {
  if (!closed_) close(Clock::now() + destruction_patience);
}

Result<void> QueuedSink::write(const event::Event& event) {
  auto record = receiver_->encode(event);
  if (!record) return fail(record.error());
  if (queue_->push(std::move(*record))) {
    if (dropping_) dropping_ = queue_->waiting() > 1;
    return {};
  }
  ++dropped_;
  // One line until it has been empty again; the count is in the events of kind loss.
  if (!std::exchange(dropping_, true)) log::error("output {}: its queue is full, events are lost to it", name_);
  return {};
}

Result<void> QueuedSink::flush() {
  if (when_full_ == WhenFull::drop) return {};
  if (!queue_->wait_empty(Clock::now() + flush_patience)) {
    return fail(ErrorClass::runtime, "output {}: {} not delivered: {}", name_, counted(queue_->waiting(), "event"),
                status().trouble);
  }
  return {};
}

bool QueuedSink::finished() const { return receiver_->finished(); }

void QueuedSink::reopen() {
  receiver_->reopen();
  queue_->wake();
}

void QueuedSink::hurry() {
  if (!to_spool_) return courier_->begin_to_stop();
  to_spool_->begin_to_stop();
  courier_->try_now();  // it goes on until the queue is in the spool
}

void QueuedSink::close(Clock::time_point until) {
  closed_ = true;
  if (to_spool_) to_spool_->stop(until);
  courier_->stop(until);
  const std::uint64_t left = spool_ ? spool_->waiting() : 0;
  if (left > 0) log::notice("output {}: {} stay in the spool for the next start", name_, counted(left, "event"));
}

SinkStatus QueuedSink::status() const {
  SinkStatus status{.name = name_};
  status.delivered = courier_->delivered();
  status.lost = dropped_ + courier_->lost();
  status.waiting = queue_->waiting();
  status.trouble = courier_->trouble();
  if (spool_) {
    status.lost += to_spool_->lost() + spool_->damaged();
    status.waiting += spool_->waiting();
    status.spool_octets = spool_->octets();
    if (status.trouble.empty()) status.trouble = to_spool_->trouble();
  }
  return status;
}

}  // namespace nslookout::sink
