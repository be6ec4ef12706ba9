// TLS for a client, by OpenSSL: whom it trusts and as whom it comes. The server's certificate is always verified, its name
// too (RFC 6125). TLS 1.2 or newer.
// Thread rule: construct anywhere, then one thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace nslookout::sink {

struct SslDelete {
  void operator()(ssl_st* session) const;
};
using Session = std::unique_ptr<ssl_st, SslDelete>;

class TlsContext {
 public:
  // Paths of PEM files; an empty ca is the system's. Errors: runtime, one sentence that names the file.
  [[nodiscard]] static Result<std::shared_ptr<TlsContext>> create(const std::string& ca, const std::string& certificate,
                                                                  const std::string& key);

  // The system's authorities where OpenSSL would not find them by itself; empty: it does, or there are none.
  [[nodiscard]] static std::string authorities_elsewhere();

  // For a socket that is connected to the host (a name or an address), before its handshake.
  [[nodiscard]] Result<Session> session(int socket, const std::string& host) const;

  // Whether the server asked who comes (RFC 8446 section 4.3.2), and whether it got a certificate.
  [[nodiscard]] static bool was_asked(const ssl_st* session);
  [[nodiscard]] static bool has_certificate(const ssl_st* session);

  // What OpenSSL says last went wrong, on this thread.
  [[nodiscard]] static std::string last_error();
  // The same of a handshake, where the certificate is often the reason.
  [[nodiscard]] static std::string handshake_error(ssl_st* session);

 private:
  struct Delete {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Delete> context_;
};

}  // namespace nslookout::sink
