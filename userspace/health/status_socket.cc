#include "health/status_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <filesystem>
#include <thread>
#include <utility>

#include "base/fd.h"
#include "base/log.h"
#include "base/quiet_thread.h"

namespace nslookout::health {
namespace {

constexpr int accept_pause = 200;  // ms, after a client that could not be accepted: no descriptor is left, say
constexpr timeval client_patience{.tv_sec = 2, .tv_usec = 0};  // for a client that does not read
constexpr timeval agent_patience{.tv_sec = 10, .tv_usec = 0};

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(ErrorClass::usage, "the status socket '{}': a path of 1 to {} octets is needed", path,
                sizeof address.sun_path - 1);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int connect_to(const sockaddr_un& address, Fd& connection) {
  connection = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!connection.valid()) return errno;
  return ::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

// Makes room for the socket, if what is there is one that nobody listens on.
Result<void> remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return fail(ErrorClass::runtime,
                "the status socket {}: there is another file of that name; name another path with --status-socket",
                path);
  }
  Fd connection;
  const int error = connect_to(address, connection);
  if (error == ECONNREFUSED) {
    ::unlink(path.c_str());
    return {};
  }
  return fail(
      ErrorClass::runtime,
      "the status socket {} belongs to an agent that runs; end that one, or name another path with --status-socket",
      path);
}

Result<Fd> listen_on(const std::string& path, const sockaddr_un& address) {
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // The file has its mode from the first moment on: fchmod of a socket that is not bound yet does that on Linux.
  const bool works = listener.valid() && ::fchmod(listener.get(), 0600) == 0 &&
                     ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     ::chmod(path.c_str(), 0600) == 0 && ::listen(listener.get(), 16) == 0;
  if (works) return listener;
  return fail(ErrorClass::runtime, "the status socket {} cannot be made: {}; name another path with --status-socket",
              path, errno_text(errno));
}

}  // namespace

class StatusSocket::Server {
 public:
  Server(std::string path, Fd listener, Answer answer)
      : path_(std::move(path)),
        listener_(std::move(listener)),
        bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        answer_(std::move(answer)) {
    thread_ = start_quiet_thread([this] { serve(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    stop_ = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(bell_.get(), &one, sizeof one);
    thread_.join();
    ::unlink(path_.c_str());
  }

 private:
  void serve() {
    while (!stop_) {
      std::array<pollfd, 2> fds = {{{listener_.get(), POLLIN, 0}, {bell_.get(), POLLIN, 0}}};
      if (::poll(fds.data(), fds.size(), -1) < 0 || stop_) continue;
      const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (client.valid()) {
        tell(client);
      } else {
        ::poll(&fds[1], 1, accept_pause);  // the client still waits, and the first poll would return at once
      }
    }
  }

  void tell(const Fd& client) {
    ::setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &client_patience, sizeof client_patience);
    try {
      const std::string text = answer_();
      std::size_t sent = 0;
      while (sent < text.size()) {
        const ssize_t now = ::send(client.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (now <= 0) return;  // a client that has gone, or does not read, is no trouble of the agent's
        sent += static_cast<std::size_t>(now);
      }
    } catch (const std::exception& error) {
      log::error("telling the status: {}", error.what());
    }
  }

  std::string path_;
  Fd listener_;
  Fd bell_;
  Answer answer_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

StatusSocket::StatusSocket(std::unique_ptr<Server> server) : server_(std::move(server)) {}
StatusSocket::~StatusSocket() = default;

Result<std::unique_ptr<StatusSocket>> StatusSocket::open(const std::string& path, Answer answer) {
  const auto address = address_of(path);
  if (!address) return fail(address.error());
  std::error_code ignored;  // listen_on says what is wrong
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directory(folder, ignored);
  // Two agents that start at once must not both find the file stale.
  const Fd lock(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.valid()) ::flock(lock.get(), LOCK_EX);
  if (const auto room = remove_stale(path, *address); !room) return fail(room.error());
  Result<Fd> listener = listen_on(path, *address);
  if (!listener) return fail(listener.error());
  return std::unique_ptr<StatusSocket>(
      new StatusSocket(std::make_unique<Server>(path, std::move(*listener), std::move(answer))));
}

Result<std::string> read_status(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return fail(address.error());
  Fd connection;
  const int error = connect_to(*address, connection);
  if (error == EACCES || error == EPERM) {
    return fail(ErrorClass::unsupported, "the status socket {}: {}; root may read it", path, errno_text(error));
  }
  if (error != 0) {
    return fail(ErrorClass::runtime, "no agent answers at {}: {}; is one running, with --status-socket {}?", path,
                errno_text(error), path);
  }
  ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &agent_patience, sizeof agent_patience);
  std::string text;
  std::array<char, 65536> buffer{};
  ssize_t got = 0;
  while ((got = ::recv(connection.get(), buffer.data(), buffer.size(), 0)) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (got < 0 || text.empty()) {
    return fail(ErrorClass::runtime, "the agent at {} does not answer: its reading of the ring does not move", path);
  }
  return text;
}

}  // namespace nslookout::health
