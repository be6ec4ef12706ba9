#include "identity/origin.h"

#include <utility>

#include "identity/origin_ci.h"
#include "identity/origin_package.h"

namespace nslookout::identity {

std::optional<event::Origin> origin_of(std::span<const ProgramFacts> nearest_first) {
  event::Origin origin{.package = package_of(nearest_first), .ci = ci_of(nearest_first)};
  if (!origin.package && !origin.ci) return std::nullopt;
  return origin;
}

}  // namespace nslookout::identity
