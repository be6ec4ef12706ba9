#include "sink/stream.h"

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include <openssl/ssl.h>

namespace nslookout::sink {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds slice{100};
// For a server that asked for a certificate to say that it does not like it.
constexpr milliseconds verdict_patience{1000};

// 0 when the descriptor is ready, else an errno value.
int wait_ready(int fd, short events, Clock::time_point until, const std::atomic<bool>& cancelled) {
  while (true) {
    if (cancelled) return ECANCELED;
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (left <= milliseconds{0}) return ETIMEDOUT;
    pollfd waited{.fd = fd, .events = events, .revents = 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(std::min(left, slice).count()));
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

struct AddressesDelete {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesDelete>;

// Why the server did not go on.
Error refused(const StreamPlace& place, ssl_st* session) {
  const std::string reason = TlsContext::handshake_error(session);
  const bool asked = TlsContext::was_asked(session);
  const char* wanted = !asked                                 ? ""
                       : TlsContext::has_certificate(session) ? "it does not take this client's certificate: "
                                                              : "it asks for a certificate (cert=, key=): ";
  return {ErrorClass::runtime, fmt::format("TLS with {}: {}{}", place.host, wanted, reason)};
}

Result<Addresses> resolve(const StreamPlace& place) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(place.host.c_str(), std::to_string(place.port).c_str(), &hints, &found);
  if (status != 0) return fail(ErrorClass::runtime, "{} has no address: {}", place.host, ::gai_strerror(status));
  return Addresses(found);
}

int connect_to(int fd, const addrinfo& address, Clock::time_point until, const std::atomic<bool>& cancelled) {
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (const int waited = wait_ready(fd, POLLOUT, until, cancelled); waited != 0) return waited;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace

Result<std::unique_ptr<Stream>> Stream::connect(const StreamPlace& place, milliseconds patience,
                                                const std::atomic<bool>& cancelled) {
  const auto addresses = resolve(place);
  if (!addresses) return fail(addresses.error());
  int error = 0;
  for (const addrinfo* address = addresses->get(); address != nullptr; address = address->ai_next) {
    Fd fd(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) {
      error = errno;
      continue;
    }
    error = connect_to(fd.get(), *address, Clock::now() + patience, cancelled);
    if (error != 0) continue;
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    auto stream = std::make_unique<Stream>(std::move(fd), cancelled);
    if (auto shaken = stream->handshake(place, patience); !shaken) return fail(shaken.error());
    return stream;
  }
  return fail(ErrorClass::runtime, "cannot connect to port {} of {}: {}", place.port, place.host, errno_text(error));
}

Result<void> Stream::handshake(const StreamPlace& place, milliseconds patience) {
  if (!place.tls) return {};
  auto session = place.tls->session(fd_.get(), place.host);
  if (!session) return fail(session.error());
  const auto until = Clock::now() + patience;
  while (true) {
    const int status = SSL_connect(session->get());
    if (status == 1) break;
    const int wanted = SSL_get_error(session->get(), status);
    if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) {
      return fail(refused(place, session->get()));
    }
    const short events = wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    if (const int waited = wait_ready(fd_.get(), events, until, cancelled_); waited != 0) {
      return fail(ErrorClass::runtime, "TLS with {}: {}", place.host, errno_text(waited));
    }
  }
  session_ = std::move(*session);
  return await_verdict(place);
}

// A server that asked for a certificate may look at it when the handshake is over for the client (always in TLS 1.3, RFC 8446
// section 4.4.2.4; some in their own code). What was sent to it by then is lost, so nothing is before that moment has passed.
Result<void> Stream::await_verdict(const StreamPlace& place) {
  if (!TlsContext::was_asked(session_.get())) return {};
  const auto until = Clock::now() + verdict_patience;
  while (wait_ready(fd_.get(), POLLIN, until, cancelled_) == 0) {
    if (peer_gone()) return fail(refused(place, session_.get()));
  }
  return {};
}

Stream::~Stream() {
  if (session_) SSL_shutdown(session_.get());
}

Result<void> Stream::send(std::string_view octets, milliseconds patience) {
  auto until = Clock::now() + patience;
  while (!octets.empty()) {
    ssize_t sent = 0;
    short events = POLLOUT;
    if (session_) {
      sent = SSL_write(session_.get(), octets.data(), static_cast<int>(std::min(octets.size(), std::size_t{1} << 20)));
      if (sent <= 0) {
        const int wanted = SSL_get_error(session_.get(), static_cast<int>(sent));
        if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) {
          return fail(ErrorClass::runtime, "{}", TlsContext::last_error());
        }
        events = wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
      }
    } else {
      sent = ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return fail(ErrorClass::runtime, "{}", errno_text(errno));
    }
    if (sent > 0) {
      octets.remove_prefix(static_cast<std::size_t>(sent));
      until = Clock::now() + patience;
    } else if (const int waited = wait_ready(fd_.get(), events, until, cancelled_); waited != 0) {
      return fail(ErrorClass::runtime, "{}",
                  waited == ETIMEDOUT ? "the receiver does not keep up" : errno_text(waited));
    }
  }
  return {};
}

bool Stream::peer_gone() {
  char octet = 0;
  if (session_) {
    const int got = SSL_read(session_.get(), &octet, 1);
    if (got > 0) return false;
    return SSL_get_error(session_.get(), got) != SSL_ERROR_WANT_READ;
  }
  const ssize_t got = ::recv(fd_.get(), &octet, 1, MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

bool Stream::wait_acknowledged(milliseconds patience) {
  const auto until = Clock::now() + patience;
  milliseconds pause{1};
  while (true) {
    int unacknowledged = 0;
    if (::ioctl(fd_.get(), SIOCOUTQ, &unacknowledged) != 0) return false;
    if (unacknowledged == 0) return true;
    if (cancelled_ || Clock::now() > until) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds{50});
  }
}

}  // namespace nslookout::sink
