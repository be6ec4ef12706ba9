#include "sink/syslog_receiver.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/host_name.h"
#include "encode/format.h"
#include "sink/syslog_message.h"

namespace nslookout::sink {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds connect_patience{5000};
constexpr milliseconds send_patience{5000};
constexpr milliseconds acknowledge_patience{5000};
// For the refusal of a datagram to come back; a receiver on another host may be slower, and its refusal is not seen.
constexpr milliseconds refusal_patience{10};

// The error that an earlier datagram met, 0 for none.
int refusal(int socket, milliseconds patience) {
  pollfd waited{.fd = socket, .events = 0, .revents = 0};
  if (::poll(&waited, 1, static_cast<int>(patience.count())) <= 0) return 0;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace

SyslogReceiver::SyslogReceiver(const Spec& spec) : spec_(spec), host_name_(host_name()), place_{spec.host, spec.port} {}

Result<std::unique_ptr<Receiver>> SyslogReceiver::open(const Spec& spec) {
  if (spec.transport == Transport::tls) {
    if (auto usable = TlsContext::create(spec.ca, spec.certificate, spec.key); !usable) return fail(usable.error());
  }
  return std::make_unique<SyslogReceiver>(spec);
}

// A batch of datagrams is small: when one is refused it is not known which, and all of them are sent again.
BatchLimits SyslogReceiver::limits() const {
  return spec_.transport == Transport::udp ? BatchLimits{.records = 8} : BatchLimits{.records = 256};
}

Result<std::string> SyslogReceiver::encode(const event::Event& event) const {
  const auto line = encode::to_line(event, spec_.format);
  if (!line) return fail(line.error());
  return syslog_message(event, *line, spec_.facility, host_name_);
}

Delivery SyslogReceiver::deliver(std::span<const std::string> records) {
  if (spec_.transport == Transport::udp) return deliver_datagrams(records);
  Delivery delivery;
  if (auto sent = send_stream(records); !sent) {
    stream_.reset();
    delivery.error = sent.error();
    return delivery;
  }
  delivery.done = records.size();
  return delivery;
}

// The files of certificates are read for each connection: they are renewed while an agent runs.
Result<void> SyslogReceiver::connect_stream() {
  if (spec_.transport == Transport::tls) {
    auto context = TlsContext::create(spec_.ca, spec_.certificate, spec_.key);
    if (!context) return fail(context.error());
    place_.tls = std::move(*context);
  }
  auto connected = Stream::connect(place_, connect_patience, cancelled_);
  if (!connected) return fail(connected.error());
  stream_ = std::move(*connected);
  return {};
}

Result<void> SyslogReceiver::send_stream(std::span<const std::string> records) {
  if (stream_ && stream_->peer_gone()) stream_.reset();
  if (!stream_) {
    if (auto connected = connect_stream(); !connected) return connected;
  }
  std::string frames;
  for (const std::string& record : records) frames += fmt::format("{} {}", record.size(), record);
  if (auto sent = stream_->send(frames, send_patience); !sent) return sent;
  if (!stream_->wait_acknowledged(acknowledge_patience) || stream_->peer_gone()) {
    return fail(ErrorClass::runtime, "{} closed the connection before it had read everything", spec_.host);
  }
  return {};
}

Result<void> SyslogReceiver::connect_datagrams() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(spec_.host.c_str(), std::to_string(spec_.port).c_str(), &hints, &found);
  if (status != 0) return fail(ErrorClass::runtime, "{} has no address: {}", spec_.host, ::gai_strerror(status));
  Fd fd(::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const bool connected = fd.valid() && ::connect(fd.get(), found->ai_addr, found->ai_addrlen) == 0;
  const int error = errno;
  ::freeaddrinfo(found);
  if (!connected) {
    return fail(ErrorClass::runtime, "cannot send to port {} of {}: {}", spec_.port, spec_.host, errno_text(error));
  }
  datagrams_ = std::move(fd);
  return {};
}

Delivery SyslogReceiver::deliver_datagrams(std::span<const std::string> records) {
  Delivery delivery;
  if (!datagrams_.valid()) {
    if (auto connected = connect_datagrams(); !connected) return {.error = connected.error()};
  }
  static_cast<void>(refusal(datagrams_.get(), milliseconds{0}));  // of what was sent earlier
  int error = 0;
  for (const std::string& record : records) {
    const ssize_t sent = ::send(datagrams_.get(), record.data(), record.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EMSGSIZE) {
      ++delivery.refused;
      delivery.error = Error{ErrorClass::runtime, "an event is larger than a datagram can be; use syslog:tcp://"};
    } else if (sent < 0) {
      error = errno;
      break;
    }
  }
  if (error == 0) error = refusal(datagrams_.get(), refusal_patience);
  if (error == 0) {
    delivery.done = records.size();
    return delivery;
  }
  datagrams_.reset();  // the host may have another address by now
  return {.error =
              Error{ErrorClass::runtime, fmt::format("port {} of {}: {}", spec_.port, spec_.host, errno_text(error))}};
}

}  // namespace nslookout::sink
