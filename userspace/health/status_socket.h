// The Unix socket over which a running agent tells its status: whoever connects gets one JSON object and the end of the
// stream. Nothing is read from the client.
//
// Who may connect is decided by the file's mode, 0600, alone. A socket file that a dead agent left is removed; one that
// somebody listens on is not taken away. Invariant: the file is there while the server is, and goes with it.
// Thread rule: made and destroyed by one thread; clients are answered in a thread of its own, one after the other.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace nslookout::health {

inline constexpr const char* default_status_socket = "/run/nslookout/status.sock";

class StatusSocket {
 public:
  using Answer = std::function<std::string()>;

  // Makes the folder (0755) if it is not there. Errors: runtime, with the path.
  [[nodiscard]] static Result<std::unique_ptr<StatusSocket>> open(const std::string& path, Answer answer);

  StatusSocket(const StatusSocket&) = delete;
  StatusSocket& operator=(const StatusSocket&) = delete;
  ~StatusSocket();

 private:
  class Server;
  explicit StatusSocket(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

// What the agent behind the socket answers. Errors: runtime (no agent, no answer in time), unsupported (no privilege).
[[nodiscard]] Result<std::string> read_status(const std::string& path);

}  // namespace nslookout::health
