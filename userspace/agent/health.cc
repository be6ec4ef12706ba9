#include "agent/health.h"

#include <chrono>
#include <utility>

#include "agent/agent.h"
#include "base/log.h"
#include "health/status.h"

namespace nslookout::agent {
namespace {

constexpr std::chrono::milliseconds snapshot_patience{5000};

}  // namespace

Result<std::unique_ptr<Health>> Health::open(const RunOptions& options) {
  std::unique_ptr<Health> health(new Health);
  if (!options.metrics.empty()) {
    const auto address = health::parse_http_address(options.metrics);
    if (!address) return fail(address.error());
    auto server = health::HttpServer::start(*address, health->vitals_);
    if (!server) return fail(server.error());
    health->http_ = std::move(*server);
  }
  if (const auto opened = health->open_status(options); !opened) return fail(opened.error());
  return health;
}

Result<void> Health::open_status(const RunOptions& options) {
  if (options.status_socket == "none") return {};
  const bool by_default = options.status_socket.empty();
  const std::string path = by_default ? health::default_status_socket : options.status_socket;
  auto opened = health::StatusSocket::open(path, [this] {
    const health::Vitals::Shared snapshot = vitals_.ask(snapshot_patience);
    return snapshot ? health::status_json(*snapshot, std::chrono::system_clock::now()) : std::string();
  });
  if (opened) {
    status_ = std::move(*opened);
    return {};
  }
  if (!by_default) return fail(opened.error());
  no_status_because_ = opened.error().message;  // what keeps the agent from starting at all is told alone
  return {};
}

void Health::ready(std::function<health::Snapshot()> make, std::string_view status) {
  if (!no_status_because_.empty()) {
    log::warning("`nslookout status` will not reach this agent: {}", no_status_because_);
  }
  make_ = std::move(make);
  vitals_.beat();
  vitals_.set_ready(true);
  supervisor_.ready(status);
}

void Health::turn() {
  vitals_.attend(make_);
  if (http_) http_->end_old_connections();
  supervisor_.alive();
}

void Health::blind(std::string_view status) {
  vitals_.set_ready(false);
  blind_because_ = status;
  supervisor_.status(status);
}

void Health::stopping() {
  vitals_.set_ready(false);
  vitals_.close();
  supervisor_.stopping();
}

}  // namespace nslookout::agent
