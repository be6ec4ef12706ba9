// `nslookout run` as a child of this process: its events and its messages come through pipes, and it ends with its parent.
// Thread rule: one thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace nslookout::cli {

class AgentChild {
 public:
  // The options are those of `run`, as words. Error: runtime.
  [[nodiscard]] static Result<AgentChild> start(const std::vector<std::string>& options);

  AgentChild(AgentChild&& other) noexcept;
  AgentChild& operator=(AgentChild&&) = delete;
  AgentChild(const AgentChild&) = delete;
  AgentChild& operator=(const AgentChild&) = delete;
  // Ends it with SIGTERM, and waits for it.
  ~AgentChild();

  [[nodiscard]] Fd take_events() { return std::move(events_); }
  [[nodiscard]] int messages() const { return messages_.get(); }
  // Reads what it said; the last line of it, without "nslookout: " and the like.
  [[nodiscard]] std::string last_message();
  // Its exit code, once it has ended by itself.
  [[nodiscard]] std::optional<int> exit_code();

 private:
  AgentChild(pid_t pid, Fd events, Fd messages)
      : pid_(pid), events_(std::move(events)), messages_(std::move(messages)) {}

  pid_t pid_;
  Fd events_, messages_;
  std::string said_;
};

}  // namespace nslookout::cli
