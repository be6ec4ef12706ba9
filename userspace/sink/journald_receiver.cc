#include "sink/journald_receiver.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/escape.h"
#include "encode/format.h"
#include "sink/journald_entry.h"
#include "sink/write_all.h"

namespace nslookout::sink {
namespace {

constexpr const char* journal_socket = "/run/systemd/journal/socket";
constexpr int wait_ms = 1000;

}  // namespace

Result<std::unique_ptr<Receiver>> JournaldReceiver::open(const Spec& spec) {
  auto receiver = std::make_unique<JournaldReceiver>(spec.path.empty() ? journal_socket : spec.path, spec.format);
  if (auto connected = receiver->connect(); !connected) return fail(connected.error());
  return receiver;
}

Result<void> JournaldReceiver::connect() {
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  if (!fd.valid() || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(ErrorClass::runtime, "cannot reach the journal at {}: {}; is systemd-journald running here?",
                escape_controls(path_), errno_text(errno));
  }
  fd_ = std::move(fd);
  return {};
}

Result<std::string> JournaldReceiver::encode(const event::Event& event) const {
  const auto line = encode::to_line(event, format_);
  if (!line) return fail(line.error());
  return journald_entry(event, *line);
}

int JournaldReceiver::send_datagram(const std::string& record) {
  return ::send(fd_.get(), record.data(), record.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

int JournaldReceiver::send_file(const std::string& record) {
  const Fd file(::memfd_create("nslookout-entry", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) return errno;
  if (const WriteOutcome written = write_all(file.get(), record, true, {}); !written.complete()) return written.error;
  constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;  // or the journal does not take it
  if (::fcntl(file.get(), F_ADD_SEALS, seals) != 0) return errno;
  const int descriptor = file.get();
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptor)> control{};
  msghdr message{};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  return ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

int JournaldReceiver::send(const std::string& record) {
  int error = send_datagram(record);
  if (error == EAGAIN) {
    pollfd waited{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
    ::poll(&waited, 1, wait_ms);
    error = send_datagram(record);
  }
  return error == EMSGSIZE || error == ENOBUFS ? send_file(record) : error;
}

Delivery JournaldReceiver::deliver(std::span<const std::string> records) {
  Delivery delivery;
  for (const std::string& record : records) {
    if (cancelled_) break;
    if (!fd_.valid()) {
      if (auto connected = connect(); !connected) {
        delivery.error = connected.error();
        delivery.wait = local_pause;
        break;
      }
    }
    if (const int error = send(record); error != 0) {
      if (error != EAGAIN) fd_.reset();  // a journal that was started again has another socket
      delivery.error =
          Error{ErrorClass::runtime, fmt::format("the journal at {}: {}", escape_controls(path_), errno_text(error))};
      break;
    }
    ++delivery.done;
  }
  return delivery;
}

}  // namespace nslookout::sink
