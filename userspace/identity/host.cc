#include "identity/host.h"

#include <sys/utsname.h>

#include <cstdlib>
#include <fstream>

namespace nslookout::identity {

event::Host describe_host(const std::string& proc_root) {
  event::Host host;
  utsname names{};
  if (::uname(&names) == 0) {
    host.name = names.nodename;
    host.kernel = names.release;
  }
  // A pod's own host name says nothing; its manifest gives the node's.
  const char* node = std::getenv("NODE_NAME");  // NOLINT(concurrency-mt-unsafe): nothing changes the environment
  if (node != nullptr && *node != '\0') host.name = node;
  std::ifstream file(proc_root + "/sys/kernel/random/boot_id");
  std::getline(file, host.boot_id);
  return host;
}

}  // namespace nslookout::identity
