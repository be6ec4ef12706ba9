// The file of certificate authorities that this host trusts. Libraries know where their own distribution has it; a binary that
// brings its libraries runs on others.
// Source: SSL_CERT_FILE is OpenSSL's variable (X509_get_default_cert_file_env). Thread rule: any thread, as long as nothing
// changes the environment.
#pragma once

#include <span>
#include <string>

namespace nslookout {

// What the variable names, whether it is there or not; else the first of the usual files that is there; empty: none is.
[[nodiscard]] std::string system_authorities();

// The same, of a variable's value (null: not set) and files.
[[nodiscard]] std::string system_authorities(const char* variable, std::span<const char* const> usual);

}  // namespace nslookout
