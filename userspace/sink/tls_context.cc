#include "sink/tls_context.h"

#include <unistd.h>

#include <cstdlib>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/escape.h"
#include "base/ip_address.h"
#include "base/system_authorities.h"

namespace nslookout::sink {

namespace {

// OpenSSL calls it when the server asks for a certificate.
int note_question(SSL* session, void* /*unused*/) {
  static char asked = 0;
  SSL_set_app_data(session, &asked);
  return 1;
}

bool trusts(SSL_CTX* context, const std::string& ca) {
  if (!ca.empty()) return SSL_CTX_load_verify_locations(context, ca.c_str(), nullptr) == 1;
  if (SSL_CTX_set_default_verify_paths(context) != 1) return false;
  const std::string elsewhere = TlsContext::authorities_elsewhere();
  return elsewhere.empty() || SSL_CTX_load_verify_locations(context, elsewhere.c_str(), nullptr) == 1;
}

}  // namespace

void SslDelete::operator()(ssl_st* session) const { SSL_free(session); }
void TlsContext::Delete::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

std::string TlsContext::last_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "the connection was closed";
  if (ERR_SYSTEM_ERROR(code)) return errno_text(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "TLS failed";
}

std::string TlsContext::handshake_error(ssl_st* session) {
  const long verified = SSL_get_verify_result(session);
  if (verified == X509_V_OK) return last_error();
  ERR_clear_error();
  return fmt::format("its certificate is refused: {}", X509_verify_cert_error_string(verified));
}

bool TlsContext::was_asked(const ssl_st* session) { return SSL_get_app_data(session) != nullptr; }

bool TlsContext::has_certificate(const ssl_st* session) { return SSL_get_certificate(session) != nullptr; }

std::string TlsContext::authorities_elsewhere() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment
  if (std::getenv(X509_get_default_cert_file_env()) != nullptr) return "";  // OpenSSL reads it itself
  return ::access(X509_get_default_cert_file(), R_OK) == 0 ? "" : system_authorities();
}

Result<std::shared_ptr<TlsContext>> TlsContext::create(const std::string& ca, const std::string& certificate,
                                                       const std::string& key) {
  auto made = std::make_shared<TlsContext>();
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = made->context_.get();
  if (context == nullptr) return fail(ErrorClass::runtime, "TLS cannot be used: {}", last_error());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_cb(context, note_question, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (!trusts(context, ca)) {
    return fail(ErrorClass::runtime, "{}: {}; ca= names a file of certificates in PEM form",
                ca.empty() ? "the system's certificates" : escape_controls(ca), last_error());
  }
  if (certificate.empty()) return made;
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return fail(ErrorClass::runtime, "{}: {}; cert= names a certificate in PEM form", escape_controls(certificate),
                last_error());
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return fail(ErrorClass::runtime, "{}: {}; key= names the key of {} in PEM form", escape_controls(key), last_error(),
                escape_controls(certificate));
  }
  return made;
}

Result<Session> TlsContext::session(int socket, const std::string& host) const {
  Session session(SSL_new(context_.get()));
  if (!session || SSL_set_fd(session.get(), socket) != 1) {
    return fail(ErrorClass::runtime, "TLS cannot be used: {}", last_error());
  }
  const bool address = parse_ip_address(host).has_value();
  const bool named = address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str()) == 1
                             : SSL_set1_host(session.get(), host.c_str()) == 1 &&
                                   SSL_set_tlsext_host_name(session.get(), host.c_str()) == 1;
  if (!named) return fail(ErrorClass::runtime, "TLS cannot be used: {} is no host name", escape_controls(host));
  return session;
}

}  // namespace nslookout::sink
