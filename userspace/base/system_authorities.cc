#include "base/system_authorities.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace nslookout {

std::string system_authorities() {
  constexpr std::array<const char*, 4> usual = {
      "/etc/ssl/certs/ca-certificates.crt",  // Debian, Alpine, Arch
      "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL
      "/etc/ssl/ca-bundle.pem",              // openSUSE
      "/etc/ssl/cert.pem",                   // Alpine, BSD
  };
  return system_authorities(std::getenv("SSL_CERT_FILE"), usual);  // NOLINT(concurrency-mt-unsafe): nothing changes it
}

std::string system_authorities(const char* variable, std::span<const char* const> usual) {
  if (variable != nullptr && *variable != '\0') return variable;
  for (const char* file : usual) {
    if (::access(file, R_OK) == 0) return file;
  }
  return "";
}

}  // namespace nslookout
