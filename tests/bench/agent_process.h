// The agent as a process of its own: started, waited for until it is ready, looked at, ended.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace nslookout::bench {

class AgentProcess {
 public:
  struct Memory {
    std::uint64_t own = 0;   // octets that are neither of a file nor of the kernel's maps
    std::uint64_t peak = 0;  // resident at most
  };

  // `BINARY run` with these arguments and no configuration file; its messages go nowhere, and neither do its events unless
  // an argument says so. Returns when it is ready. Error: it ended before, or took longer than a minute.
  [[nodiscard]] static Result<AgentProcess> start(const std::string& binary, const std::vector<std::string>& arguments);

  AgentProcess(AgentProcess&& other) noexcept
      : binary_(std::move(other.binary_)), pid_(std::exchange(other.pid_, 0)), seconds_(other.seconds_) {}
  AgentProcess& operator=(AgentProcess&&) = delete;
  ~AgentProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] double seconds_to_ready() const { return seconds_; }
  [[nodiscard]] Result<Memory> memory() const;
  // CPU time of all its threads so far, those that have ended included. Programs that run in the kernel for others' sends are
  // no part of it.
  [[nodiscard]] Result<double> cpu_seconds() const;
  // What `BINARY status --format json` says of it.
  [[nodiscard]] Result<nlohmann::json> status() const;
  // Asks it to end, and waits.
  [[nodiscard]] Result<void> stop();

 private:
  AgentProcess(std::string binary, pid_t pid) : binary_(std::move(binary)), pid_(pid) {}

  std::string binary_;
  pid_t pid_ = 0;  // 0: no process
  double seconds_ = 0;
};

}  // namespace nslookout::bench
