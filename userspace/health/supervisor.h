// What a supervisor is told over its notification socket (sd_notify(3)): READY, RELOADING, STOPPING, STATUS, WATCHDOG.
//
// The protocol is one datagram of NAME=VALUE lines to the socket that NOTIFY_SOCKET names; it is stable and documented
// ("Notes" of the manual page). It is written here, and libsystemd not linked, so that the process with the most privilege
// does not load that library's compressors and ciphers for it. Nothing is sent where NOTIFY_SOCKET is not set. A
// supervisor that does not take a message is not waited for.
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace nslookout::health {

class Supervisor {
 public:
  // From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  [[nodiscard]] static Supervisor of_environment();

  Supervisor() = default;  // none

  void ready(std::string_view status) const;
  // With the time, as Type=notify-reload wants it; ready() ends it.
  void reloading() const;
  void stopping() const;
  void status(std::string_view status) const;

  // Says that the work goes on, as often as the supervisor wants to hear it; call it at every turn of that work.
  void alive();

 private:
  void send(const std::string& message) const;

  Fd socket_;
  std::string address_;  // of the supervisor's socket: a path, or an abstract name behind a NUL
  std::optional<std::chrono::microseconds> watchdog_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace nslookout::health
