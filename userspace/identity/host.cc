#include "identity/host.h"

#include <sys/utsname.h>

#include <fstream>

#include "base/host_name.h"

namespace nslookout::identity {

event::Host describe_host(const std::string& proc_root) {
  event::Host host;
  host.name = host_name();
  utsname names{};
  if (::uname(&names) == 0) host.kernel = names.release;
  std::ifstream file(proc_root + "/sys/kernel/random/boot_id");
  std::getline(file, host.boot_id);
  return host;
}

}  // namespace nslookout::identity
