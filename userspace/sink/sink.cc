#include "sink/sink.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <span>

#include "base/log.h"
#include "base/system_authorities.h"
#include "sink/file_receiver.h"
#include "sink/journald_receiver.h"
#include "sink/kafka_receiver.h"
#include "sink/otlp_receiver.h"
#include "sink/queued_sink.h"
#include "sink/socket_receiver.h"
#include "sink/spec.h"
#include "sink/syslog_receiver.h"

namespace nslookout::sink {
namespace {

void ignore_default_sigpipe() {
  struct sigaction current{};
  if (::sigaction(SIGPIPE, nullptr, &current) != 0 || current.sa_handler != SIG_DFL) return;
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, nullptr);
}

Result<std::unique_ptr<Receiver>> open_receiver(const Spec& spec) {
  switch (spec.place) {
    case Place::standard_output:
    case Place::file:
      return FileReceiver::open(spec);
    case Place::unix_socket:
      return SocketReceiver::open(spec);
    case Place::syslog:
      return SyslogReceiver::open(spec);
    case Place::journald:
      return JournaldReceiver::open(spec);
    case Place::otlp:
      return OtlpReceiver::open(spec);
    case Place::kafka:
      return KafkaReceiver::open(spec);
  }
  return fail(ErrorClass::usage, "there is no such output");
}

// Its certificate would be refused for ever, and the reason is on this side.
void warn_without_authorities(const std::string& name, const Spec& spec) {
  const bool tls = spec.place == Place::kafka ? spec.tls || !spec.certificate.empty()
                                              : spec.transport == Transport::tls || spec.url.starts_with("https");
  if (!tls || !spec.ca.empty()) return;
  const std::string authorities = system_authorities();
  if (!authorities.empty() && ::access(authorities.c_str(), R_OK) == 0) return;
  log::warning(
      "output {}: {}, so no receiver's certificate can be verified; name a file of authorities with ca=, or in "
      "SSL_CERT_FILE",
      name,
      authorities.empty() ? "this host has no certificate authorities in any of the usual files"
                          : fmt::format("SSL_CERT_FILE names {}, which cannot be read", authorities));
}

// Hands each event to its receiver at once, and never again.
class DirectSink : public Sink {
 public:
  DirectSink(std::string name, std::unique_ptr<Receiver> receiver)
      : name_(std::move(name)), receiver_(std::move(receiver)) {}

  [[nodiscard]] Result<void> write(const event::Event& event) override {
    const auto record = receiver_->encode(event);
    if (!record) return fail(record.error());
    const Delivery delivery = receiver_->deliver(std::span(&*record, 1));
    if (delivery.error) return fail(*delivery.error);
    ++delivered_;
    return {};
  }

  [[nodiscard]] Result<void> flush() override { return {}; }
  [[nodiscard]] bool finished() const override { return receiver_->finished(); }
  void reopen() override { receiver_->reopen(); }
  [[nodiscard]] SinkStatus status() const override { return {.name = name_, .delivered = delivered_}; }

 private:
  std::string name_;
  std::unique_ptr<Receiver> receiver_;
  std::uint64_t delivered_ = 0;
};

Result<std::unique_ptr<Sink>> open(std::string_view text, WhenFull when_full) {
  const auto spec = parse_spec(text);
  if (!spec) return fail(spec.error());
  ignore_default_sigpipe();
  auto receiver = open_receiver(*spec);
  if (!receiver) return fail(receiver.error());
  warn_without_authorities(spec_name(text), *spec);
  const bool local = !spec->over_network() && spec->place != Place::journald;
  if (local && when_full == WhenFull::wait) {
    return std::make_unique<DirectSink>(spec_name(text), std::move(*receiver));
  }
  return QueuedSink::open(spec_name(text), *spec, std::move(*receiver), when_full);
}

}  // namespace

Result<std::unique_ptr<Sink>> open_sink(std::string_view spec) { return open(spec, WhenFull::wait); }

Result<std::unique_ptr<Sink>> open_queued_sink(std::string_view spec) { return open(spec, WhenFull::drop); }

}  // namespace nslookout::sink
