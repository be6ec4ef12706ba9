#include "health/supervisor.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fmt/format.h>

#include "base/log.h"
#include "base/result.h"

namespace nslookout::health {
namespace {

// The main thread alone runs when these are read.
std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A message is made of lines, so a value is one.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  return line;
}

}  // namespace

Supervisor Supervisor::of_environment() {
  Supervisor supervisor;
  std::string address = variable("NOTIFY_SOCKET");
  if (address.empty()) return supervisor;
  if ((address.front() != '/' && address.front() != '@') || address.size() >= sizeof(sockaddr_un::sun_path)) {
    log::warning("NOTIFY_SOCKET={}: no path and no abstract socket; the supervisor hears nothing", address);
    return supervisor;
  }
  if (address.front() == '@') address.front() = '\0';
  supervisor.address_ = std::move(address);
  supervisor.socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto interval = number(variable("WATCHDOG_USEC"));
  const std::string pid = variable("WATCHDOG_PID");
  const bool meant = pid.empty() || number(pid) == static_cast<std::uint64_t>(::getpid());
  if (interval && *interval > 0 && meant) supervisor.watchdog_ = std::chrono::microseconds(*interval);
  return supervisor;
}

void Supervisor::send(const std::string& message) const {
  if (!socket_.valid()) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  if (::sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
               length) < 0) {
    log::debug("telling the supervisor: {}", errno_text(errno));
  }
}

void Supervisor::ready(std::string_view status) const { send(fmt::format("READY=1\nSTATUS={}\n", one_line(status))); }

void Supervisor::reloading() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", microseconds));
}

void Supervisor::stopping() const { send("STOPPING=1\n"); }

void Supervisor::status(std::string_view status) const { send(fmt::format("STATUS={}\n", one_line(status))); }

void Supervisor::alive() {
  if (!watchdog_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + *watchdog_ / 3;  // twice in vain is not yet the end
  send("WATCHDOG=1\n");
}

}  // namespace nslookout::health
