#include <cstring>

#include "base/result.h"

namespace nslookout {

std::string errno_text(int error_number) {
  char buffer[128];
  return strerror_r(error_number, buffer, sizeof buffer);  // the GNU variant returns the text
}

}  // namespace nslookout
