#include "sink/socket_receiver.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <utility>

#include "base/escape.h"
#include "sink/frame.h"
#include "sink/write_all.h"

namespace nslookout::sink {
namespace {

std::string connect_problem(int error) {
  switch (error) {
    case ENOENT:
      return "no such socket; start its reader first";
    case ECONNREFUSED:
      return "nobody listens on it; start its reader first";
    case EPROTOTYPE:
      return "it is not a stream socket; its reader has to listen with SOCK_STREAM";
    case EAGAIN:
      return "its reader does not accept connections";
    default:
      return errno_text(error);
  }
}

}  // namespace

Result<std::unique_ptr<Receiver>> SocketReceiver::open(const Spec& spec) {
  auto receiver = std::make_unique<SocketReceiver>(spec);
  if (auto connected = receiver->connect(); !connected) return fail(connected.error());
  return receiver;
}

Result<void> SocketReceiver::connect() {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  if (!fd.valid() || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(ErrorClass::runtime, "cannot send events to {}: {}", escape_controls(path_), connect_problem(errno));
  }
  fd_ = std::move(fd);
  return {};
}

Result<void> SocketReceiver::write(const std::string& record) {
  const bool had_connection = fd_.valid();
  if (!had_connection) {
    if (auto connected = connect(); !connected) return connected;
  }
  const auto patience = stalled_ ? std::chrono::milliseconds{0} : reader_patience;
  WriteOutcome outcome = write_all(fd_.get(), record, false, patience);
  const bool reader_gone = outcome.error == EPIPE || outcome.error == ECONNRESET;
  if (reader_gone && had_connection && outcome.written == 0) {
    fd_.reset();
    if (auto connected = connect(); !connected) return connected;
    outcome = write_all(fd_.get(), record, false, patience);
  }
  stalled_ = outcome.error == ETIMEDOUT;
  if (outcome.complete()) return {};
  if (outcome.written > 0 || !stalled_) fd_.reset();
  return fail(ErrorClass::runtime, "sending an event to {}: {}", escape_controls(path_), outcome.reason());
}

Result<std::string> SocketReceiver::encode(const event::Event& event) const {
  return encode_record(event, encoding_, format_);
}

Delivery SocketReceiver::deliver(std::span<const std::string> records) {
  return deliver_each(records, [this](const std::string& record) { return write(record); });
}

}  // namespace nslookout::sink
