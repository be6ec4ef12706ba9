// The agent as a process of its own: started, waited for until it is ready, looked at, ended.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace nslookout::bench {

class AgentProcess {
 public:
  struct Memory {
    std::uint64_t own = 0;   // octets that are neither of a file nor of the kernel's maps
    std::uint64_t peak = 0;  // resident at most
  };

  // `BINARY run` with these arguments; its events and messages go nowhere. Returns when it is ready. Error: it ended before,
  // or took longer than a minute.
  [[nodiscard]] static Result<AgentProcess> start(const std::string& binary, const std::vector<std::string>& arguments);

  AgentProcess(AgentProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)), seconds_(other.seconds_) {}
  AgentProcess& operator=(AgentProcess&&) = delete;
  ~AgentProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] double seconds_to_ready() const { return seconds_; }
  [[nodiscard]] Result<Memory> memory() const;
  // Asks it to end, and waits.
  [[nodiscard]] Result<void> stop();

 private:
  AgentProcess(pid_t pid, double seconds) : pid_(pid), seconds_(seconds) {}

  pid_t pid_ = 0;  // 0: no process
  double seconds_ = 0;
};

}  // namespace nslookout::bench
