// Files that decide what the agent reports and blocks must not be anybody's to write.
// Thread rule: any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace nslookout::confine {

// The paths, all that lies below those that are folders, and the folder that a file lies in (unless it is sticky, as /tmp is):
// none may be writable by all (mode o+w). What lies on a file system that is mounted read-only is as it is, as a ConfigMap's
// folder of mode 0777. A path that is not there is no error here. Errors: invalid, with the path and what to do.
[[nodiscard]] Result<void> check_not_writable_by_all(const std::vector<std::string>& paths);

}  // namespace nslookout::confine
