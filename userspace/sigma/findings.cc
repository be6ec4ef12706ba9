#include "sigma/findings.h"

namespace nslookout::sigma {

std::string Finding::text() const {
  if (place.line == 0) return fmt::format("{}: {}", file, what);
  return fmt::format("{}:{}:{}: {}", file, place.line, place.column, what);
}

}  // namespace nslookout::sigma
