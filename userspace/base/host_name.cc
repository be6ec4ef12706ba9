#include "base/host_name.h"

#include <sys/utsname.h>

#include <cstdlib>

namespace nslookout {

std::string host_name() {
  const char* node = std::getenv("NODE_NAME");  // NOLINT(concurrency-mt-unsafe): nothing changes the environment
  if (node != nullptr && *node != '\0') return node;
  utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "localhost";
}

}  // namespace nslookout
