#include <liburing.h>

#include <sys/uio.h>

#include "sender.h"

namespace nslookout::kernel_test {

namespace {

// A ring with one registered file (kernels before 5.11 poll for registered files alone).
class Ring {
 public:
  [[nodiscard]] Result<void> open(RingMode mode, int fd) {
    io_uring_params parameters{};
    if (mode == RingMode::kernel_polled) {
      parameters.flags = IORING_SETUP_SQPOLL;
      parameters.sq_thread_idle = 1000;
    }
    if (const int error = ::io_uring_queue_init_params(8, &ring_, &parameters); error != 0) {
      return fail(ErrorClass::unsupported, "io_uring_setup: {}", errno_text(-error));
    }
    open_ = true;
    if (const int error = ::io_uring_register_files(&ring_, &fd, 1); error != 0) {
      return fail(ErrorClass::unsupported, "io_uring_register: {}", errno_text(-error));
    }
    return {};
  }

  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (open_) ::io_uring_queue_exit(&ring_);
  }

  [[nodiscard]] io_uring_sqe* entry() { return ::io_uring_get_sqe(&ring_); }

  // Submits the entry and waits for its end: the datagram has been handed to the network when this returns.
  [[nodiscard]] Result<void> complete(std::size_t octets) {
    if (const int submitted = ::io_uring_submit(&ring_); submitted < 0) {
      return fail(ErrorClass::runtime, "io_uring_submit: {}", errno_text(-submitted));
    }
    io_uring_cqe* completion = nullptr;
    if (const int error = ::io_uring_wait_cqe(&ring_, &completion); error != 0) {
      return fail(ErrorClass::runtime, "io_uring_wait_cqe: {}", errno_text(-error));
    }
    const int result = completion->res;
    ::io_uring_cqe_seen(&ring_, completion);
    if (result == -EINVAL) return fail(ErrorClass::unsupported, "this io_uring has no such operation");
    if (result < 0) return fail(ErrorClass::runtime, "io_uring send: {}", errno_text(-result));
    return check_sent(result, octets, "io_uring send");
  }

 private:
  io_uring ring_{};
  bool open_ = false;
};

template <typename Prepare>
Result<void> send_each(const SocketAddress& server, const Payloads& payloads, RingMode mode, const Prepare& prepare) {
  const auto fd = connect_socket(server, SOCK_DGRAM);
  if (!fd) return fail(fd.error());
  Ring ring;
  if (auto opened = ring.open(mode, fd->get()); !opened) return opened;
  for (const auto& payload : payloads) {
    auto* entry = ring.entry();
    iovec part{.iov_base = const_cast<char*>(payload.data()), .iov_len = payload.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    prepare(entry, payload, message);
    entry->flags |= IOSQE_FIXED_FILE;
    if (mode == RingMode::forced_async) entry->flags |= IOSQE_ASYNC;
    if (auto done = ring.complete(payload.size()); !done) return done;
  }
  return {};
}

}  // namespace

SendFunction send_io_uring_send(RingMode mode) {
  return [mode](const SocketAddress& server, const Payloads& payloads) {
    return send_each(server, payloads, mode, [](io_uring_sqe* entry, const std::string& payload, const msghdr&) {
      ::io_uring_prep_send(entry, 0, payload.data(), payload.size(), 0);
    });
  };
}

SendFunction send_io_uring_sendmsg(RingMode mode) {
  return [mode](const SocketAddress& server, const Payloads& payloads) {
    return send_each(server, payloads, mode, [](io_uring_sqe* entry, const std::string&, const msghdr& message) {
      ::io_uring_prep_sendmsg(entry, 0, &message, 0);
    });
  };
}

}  // namespace nslookout::kernel_test
