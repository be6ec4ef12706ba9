#include "sink/kafka_receiver.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <future>
#include <utility>

#include <librdkafka/rdkafka.h>

#include "base/escape.h"
#include "base/host_name.h"
#include "base/quiet_thread.h"
#include "encode/format.h"
#include "sink/tls_context.h"

namespace nslookout::sink {
namespace {

using Clock = std::chrono::steady_clock;

// How long one deliver() waits. What is not reported by then stays in librdkafka's hands.
constexpr std::chrono::seconds report_patience{2};
constexpr std::chrono::milliseconds give_up_patience{500};
constexpr std::chrono::seconds end_patience{1};
constexpr std::chrono::milliseconds ask_again{200};
constexpr int poll_ms = 100;

struct ConfigurationDelete {
  void operator()(rd_kafka_conf_t* configuration) const { rd_kafka_conf_destroy(configuration); }
};
using Configuration = std::unique_ptr<rd_kafka_conf_t, ConfigurationDelete>;

Result<void> set(rd_kafka_conf_t* configuration, const std::string& name, const std::string& value) {
  std::array<char, 512> reason{};
  if (rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), reason.data(), reason.size()) == RD_KAFKA_CONF_OK) {
    return {};
  }
  return fail(ErrorClass::usage, "kafka: {}", escape_controls(reason.data()));
}

// One name=value a line, as librdkafka's CONFIGURATION.md has them; empty lines and those that begin with # say nothing.
Result<void> read_properties(rd_kafka_conf_t* configuration, const std::string& file) {
  if (file.empty()) return {};
  std::ifstream lines(file);
  if (!lines) {
    return fail(ErrorClass::runtime, "{}: {}; properties= names a file that this user may read", escape_controls(file),
                errno_text(errno));
  }
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorClass::usage, "{}:{}: no property; write one as name=value", escape_controls(file), number);
    }
    if (auto done = set(configuration, line.substr(0, equals), line.substr(equals + 1)); !done) {
      return fail(done.error().context(fmt::format("{}:{}", escape_controls(file), number)));
    }
  }
  return {};
}

Result<Configuration> configure(const Spec& spec) {
  Configuration configuration(rd_kafka_conf_new());
  std::vector<std::pair<std::string, std::string>> properties = {
      {"bootstrap.servers", spec.brokers}, {"client.id", "nslookout"}, {"enable.idempotence", "true"},
      {"compression.codec", "lz4"},        {"linger.ms", "5"},         {"message.timeout.ms", "0"},
      {"reconnect.backoff.max.ms", "2000"}};
  if (spec.tls || !(spec.ca + spec.certificate).empty()) properties.emplace_back("security.protocol", "ssl");
  // Whether TLS is used, the properties may say.
  const std::string ca = spec.ca.empty() ? TlsContext::authorities_elsewhere() : spec.ca;
  if (!ca.empty()) properties.emplace_back("ssl.ca.location", ca);
  if (!spec.certificate.empty()) {
    properties.emplace_back("ssl.certificate.location", spec.certificate);
    properties.emplace_back("ssl.key.location", spec.key);
  }
  for (const auto& [name, value] : properties) {
    if (auto done = set(configuration.get(), name, value); !done) return fail(done.error());
  }
  if (auto read = read_properties(configuration.get(), spec.properties_file); !read) return fail(read.error());
  return configuration;
}

// The message itself is what the brokers do not take.
bool is_refusal(int error) {
  return error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || error == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE ||
         error == RD_KAFKA_RESP_ERR_INVALID_MSG || error == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

}  // namespace

KafkaReceiver::KafkaReceiver(Spec spec) : spec_(std::move(spec)), key_(host_name()) {}

KafkaReceiver::~KafkaReceiver() { end_producer(); }

void KafkaReceiver::end_producer() {
  if (producer_ == nullptr) return;
  auto ended = std::make_shared<std::promise<void>>();
  const auto end = [producer = std::exchange(producer_, nullptr), shared = shared_, ended] {
    rd_kafka_purge(producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(producer);
    ended->set_value();
  };
  auto thread = try_quiet_thread(end);
  if (!thread) return end();  // as long as it takes
  thread->detach();
  ended->get_future().wait_for(end_patience);
}

Result<std::unique_ptr<Receiver>> KafkaReceiver::open(const Spec& spec) {
  auto receiver = std::make_unique<KafkaReceiver>(spec);
  if (auto started = receiver->start(); !started) return fail(started.error());
  return receiver;
}

Result<void> KafkaReceiver::start() {
  end_producer();
  shared_->reports.clear();
  auto configuration = configure(spec_);
  if (!configuration) return fail(configuration.error());
  rd_kafka_conf_set_opaque(configuration->get(), shared_.get());
  rd_kafka_conf_set_dr_msg_cb(configuration->get(), take_report);
  // An error callback would have to be polled for while nothing is to be delivered; a log callback is called at once.
  rd_kafka_conf_set_log_cb(configuration->get(), take_log);
  std::array<char, 512> reason{};
  producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, configuration->get(), reason.data(), reason.size());
  if (producer_ == nullptr) return fail(ErrorClass::usage, "kafka: {}", escape_controls(reason.data()));
  // NOLINTNEXTLINE(bugprone-unused-return-value): the producer's now
  static_cast<void>(configuration->release());
  return {};
}

Result<std::string> KafkaReceiver::encode(const event::Event& event) const {
  return encode::to_line(event, spec_.format);
}

// Inside rd_kafka_poll, on the thread that delivers.
void KafkaReceiver::take_report(rd_kafka_s* /*producer*/, const rd_kafka_message_s* message, void* shared) {
  std::vector<Report>& reports = static_cast<Shared*>(shared)->reports;
  const auto index = reinterpret_cast<std::uintptr_t>(message->_private);
  if (index >= reports.size()) return;
  reports[index].reported = true;
  reports[index].error = message->err;
}

// On a thread of librdkafka's.
void KafkaReceiver::take_log(const rd_kafka_s* producer, int level, const char* /*facility*/, const char* text) {
  constexpr int warning = 4;  // as in syslog
  if (level > warning) return;
  Shared& shared = *static_cast<Shared*>(rd_kafka_opaque(producer));
  std::string_view reason(text);
  // "[thrd:HOST:PORT/bootstrap]: " says nothing to a reader.
  if (const std::size_t end = reason.find("]: "); reason.starts_with("[thrd:") && end != std::string_view::npos) {
    reason.remove_prefix(end + 3);
  }
  const std::lock_guard lock(shared.mutex);
  shared.trouble = escape_controls(reason);
}

std::string KafkaReceiver::trouble() {
  const std::lock_guard lock(shared_->mutex);
  return shared_->trouble.empty() ? "no broker has acknowledged the events yet" : shared_->trouble;
}

void KafkaReceiver::produce(std::span<const std::string> records) {
  if (shared_->reports.empty()) shared_->reports.resize(records.size());
  for (std::size_t i = 0; i < shared_->reports.size() && i < records.size(); ++i) {
    Report& report = shared_->reports[i];
    if (report.made) continue;
    // NOLINTBEGIN(cppcoreguidelines-pro-type-const-cast, performance-no-int-to-ptr): it is copied, and comes back as a number
    const auto error = rd_kafka_producev(
        producer_, RD_KAFKA_V_TOPIC(spec_.topic.c_str()), RD_KAFKA_V_KEY(key_.data(), key_.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(records[i].data()), records[i].size()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(i)), RD_KAFKA_V_END);
    // NOLINTEND(cppcoreguidelines-pro-type-const-cast, performance-no-int-to-ptr)
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return;  // the next call goes on from here
    report.made = true;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) report = {true, true, error};
  }
}

bool KafkaReceiver::all_reported() const { return std::ranges::all_of(shared_->reports, &Report::reported); }

void KafkaReceiver::wait_for_reports() {
  const auto until = Clock::now() + report_patience;
  while (!all_reported() && !cancelled_ && Clock::now() < until) rd_kafka_poll(producer_, poll_ms);
}

// What is still in librdkafka's hands is taken from it, so that the reports are complete.
void KafkaReceiver::give_up() {
  rd_kafka_purge(producer_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  const auto until = Clock::now() + give_up_patience;
  while (!all_reported() && Clock::now() < until) rd_kafka_poll(producer_, poll_ms);
}

Delivery KafkaReceiver::deliver(std::span<const std::string> records) {
  if (producer_ == nullptr) {
    if (auto started = start(); !started) return {.error = started.error()};
  }
  produce(records);
  wait_for_reports();
  if (cancelled_) give_up();
  if (!all_reported() && !cancelled_) {
    return {.error = Error{ErrorClass::runtime, trouble()}, .wait = ask_again};
  }
  return settle();
}

// From the front, as far as it went well.
Delivery KafkaReceiver::settle() {
  Delivery delivery;
  for (const Report& report : shared_->reports) {
    if (!report.reported) break;
    if (report.error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* reason = rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(report.error));
      delivery.error = Error{ErrorClass::runtime, escape_controls(reason)};
      if (!is_refusal(report.error)) break;
      ++delivery.refused;
    }
    ++delivery.done;
  }
  shared_->reports.clear();
  if (!delivery.error) {
    const std::lock_guard lock(shared_->mutex);
    shared_->trouble.clear();
  }
  // An idempotent producer that met such an error takes nothing more; a new one does.
  if (rd_kafka_fatal_error(producer_, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) end_producer();
  return delivery;
}

}  // namespace nslookout::sink
