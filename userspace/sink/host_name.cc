#include "sink/host_name.h"

#include <sys/utsname.h>

namespace nslookout::sink {

std::string host_name() {
  utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "localhost";
}

}  // namespace nslookout::sink
