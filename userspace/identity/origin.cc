#include "identity/origin.h"

#include <algorithm>
#include <utility>

#include "identity/origin_ci.h"
#include "identity/origin_facts.h"
#include "identity/origin_package.h"

namespace nslookout::identity {

std::optional<event::Origin> origin_of(std::span<const ProgramFacts> nearest_first) {
  // Lost variables may have named a package, or a step, that is nearer than what the ancestors' name. The program's command line
  // and folder are known all the same.
  const auto lost = std::ranges::find_if(nearest_first, &ProgramFacts::environment_lost);
  const Chain known(nearest_first.begin(), lost == nearest_first.end() ? lost : lost + 1);
  event::Origin origin{.package = package_of(known), .ci = ci_of(known)};
  if (!origin.package && !origin.ci) return std::nullopt;
  return origin;
}

}  // namespace nslookout::identity
