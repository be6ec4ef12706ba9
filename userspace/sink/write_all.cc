#include "sink/write_all.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/result.h"

namespace nslookout::sink {
namespace {

using Clock = std::chrono::steady_clock;

// 0 when fd takes octets (or will say what is wrong with it), else an errno value.
int wait_writable(int fd, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waited{.fd = fd, .events = POLLOUT, .revents = 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return 0;
    if (ready == 0) return ETIMEDOUT;
    if (errno != EINTR) return errno;
  }
}

}  // namespace

std::string WriteOutcome::reason() const {
  return error == ETIMEDOUT ? "its reader does not keep up" : errno_text(error);
}

WriteOutcome write_all(int fd, std::string_view octets, bool regular_file, std::chrono::milliseconds patience) {
  WriteOutcome outcome;
  while (outcome.written < octets.size()) {
    std::string_view rest = octets.substr(outcome.written);
    if (!regular_file) {
      outcome.error = wait_writable(fd, patience);
      if (outcome.error != 0) return outcome;
      rest = rest.substr(0, PIPE_BUF);
    }
    const ssize_t wrote = ::write(fd, rest.data(), rest.size());
    if (wrote > 0) {
      outcome.written += static_cast<std::size_t>(wrote);
    } else if (wrote < 0 && errno != EINTR && errno != EAGAIN) {
      outcome.error = errno;
      return outcome;
    }
  }
  return outcome;
}

}  // namespace nslookout::sink
