// HTTP for Prometheus and for probes: /metrics, /healthz (the ring is being read) and /readyz (programs are attached and
// tables filled). Plain GET and HEAD, nothing else; nobody can change anything through it.
//
// The exposer of prometheus-cpp has /metrics alone, and the server under it, civetweb, has no IPv6 as Debian builds it; so
// libmicrohttpd is used, by this file's .cc alone. Thread rule: made and destroyed by one thread; requests are answered in
// threads of its own, which take no signals.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"
#include "health/vitals.h"

namespace nslookout::health {

// The reading has stopped when it did not move for so long; publishing the largest tables takes a part of it.
inline constexpr std::chrono::seconds longest_pause{15};

struct HttpAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  [[nodiscard]] std::string text() const;  // "127.0.0.1:9477", "[::1]:9477"
};

// "ADDRESS:PORT", an address of IPv6 in brackets (RFC 3986 section 3.2.2). "PORT" alone is on 127.0.0.1, "[::]:PORT" on every
// address of the host, those of IPv4 too. Error: usage.
[[nodiscard]] Result<HttpAddress> parse_http_address(std::string_view text);

class HttpServer {
 public:
  // vitals must outlive it. Errors: runtime, the address cannot be listened on.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const HttpAddress& address, Vitals& vitals);

  // Ends connections that have had their time, whatever still comes on them; call it several times a second. Any local process
  // may connect, and there is room for few.
  void end_old_connections();

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nslookout::health
