// Everything through which an agent tells how it is: HTTP, the status socket, its supervisor.
//
//   auto health = Health::open(options);      before anything is attached: what cannot work is an error here
//   (*health)->ready(make, "…");              programs are attached, tables filled
//   while (running) { …; (*health)->turn(); }
//
// Thread rule: the thread that reads the ring; others are answered through health/vitals.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "health/http_server.h"
#include "health/snapshot.h"
#include "health/status_socket.h"
#include "health/supervisor.h"
#include "health/vitals.h"

namespace nslookout::agent {

struct RunOptions;

class Health {
 public:
  // Errors: usage, runtime. A status socket that nobody asked for by name is done without, with a warning from ready().
  [[nodiscard]] static Result<std::unique_ptr<Health>> open(const RunOptions& options);
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;
  ~Health() = default;

  // make is called by turn() while somebody waits for a snapshot.
  void ready(std::function<health::Snapshot()> make, std::string_view status);
  void turn();
  void reloading() const { supervisor_.reloading(); }
  void reloaded(std::string_view status) const { supervisor_.ready(blind_because_.empty() ? status : blind_because_); }
  // Lookups are not seen any more: not ready, whatever is reloaded.
  void blind(std::string_view status);
  void stopping();

 private:
  Health() : supervisor_(health::Supervisor::of_environment()) {}
  [[nodiscard]] Result<void> open_status(const RunOptions& options);

  health::Vitals vitals_;
  health::Supervisor supervisor_;
  std::function<health::Snapshot()> make_;
  std::string no_status_because_;
  std::string blind_because_;
  std::unique_ptr<health::HttpServer> http_;  // these two after what they use
  std::unique_ptr<health::StatusSocket> status_;
};

}  // namespace nslookout::agent
