// Events as messages of a Kafka topic, by librdkafka: the key is the host's name, so that one host's events stay in order
// in one partition; the producer is idempotent, so that a retry inside librdkafka is no duplicate. See receiver.h for the
// contract.
//
// Delivered: the in-sync replicas have it (acks=all). A batch that was given to librdkafka stays there until it is
// delivered; the same batch given again is not produced again. A restart of the agent may produce it a second time.
// Thread rule: see receiver.h; librdkafka has threads of its own.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sink/receiver.h"
#include "sink/spec.h"

struct rd_kafka_s;
struct rd_kafka_message_s;  // NOLINT(readability-identifier-naming): librdkafka's

namespace nslookout::sink {

class KafkaReceiver : public Receiver {
 public:
  // Errors: runtime (a file that cannot be read), usage (a property that librdkafka does not have). Brokers that are not
  // there are no error.
  [[nodiscard]] static Result<std::unique_ptr<Receiver>> open(const Spec& spec);

  explicit KafkaReceiver(Spec spec);
  KafkaReceiver(const KafkaReceiver&) = delete;
  KafkaReceiver& operator=(const KafkaReceiver&) = delete;
  ~KafkaReceiver() override;

  [[nodiscard]] Result<std::string> encode(const event::Event& event) const override;
  [[nodiscard]] Delivery deliver(std::span<const std::string> records) override;
  [[nodiscard]] BatchLimits limits() const override { return {.records = 500}; }
  void cancel() override { cancelled_ = true; }

 private:
  // What librdkafka has reported of each message of the batch in its hands.
  struct Report {
    bool made = false;
    bool reported = false;
    int error = 0;  // rd_kafka_resp_err_t
  };
  // What librdkafka's callbacks see; it lives as long as librdkafka's threads do.
  struct Shared {
    std::vector<Report> reports;  // empty: no batch is in librdkafka's hands
    std::mutex mutex;
    std::string trouble;  // under the mutex: what librdkafka said last
  };

  static void take_report(rd_kafka_s* producer, const rd_kafka_message_s* message, void* shared);
  static void take_log(const rd_kafka_s* producer, int level, const char* facility, const char* text);

  [[nodiscard]] Result<void> start();
  // librdkafka waits for its threads, which may hang in the network: not longer than a second here.
  void end_producer();
  void produce(std::span<const std::string> records);
  [[nodiscard]] bool all_reported() const;
  void wait_for_reports();
  void give_up();
  [[nodiscard]] Delivery settle();
  [[nodiscard]] std::string trouble();

  Spec spec_;
  std::string key_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  rd_kafka_s* producer_ = nullptr;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace nslookout::sink
