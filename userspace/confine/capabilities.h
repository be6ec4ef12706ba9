// Capabilities: which of them a running agent still needs, and giving up the others for good.
//
// What loading and attaching needed (CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_RESOURCE …) and what root has besides go from the
// permitted and the bounding set; nothing brings them back. The threads that read rules, ask container runtimes and write to
// outputs have given up even more (base/quiet_thread.h). Source: capabilities(7).
// Thread rule: the calling thread's capabilities, and those of threads that it starts later.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace nslookout::confine {

// What the agent is going to do.
struct Duties {
  bool answers = false;            // to blocked lookups, in place of their server
  bool writes_for_others = false;  // opens files in folders that are not its own (see others_own)
  bool may_administer = false;     // keeps CAP_SYS_ADMIN; keep_capabilities finds out
};

struct Kept {
  int number;
  const char* name;
  bool (*needed)(const Duties&);
  const char* reason;
};

// All that may be kept; a capability is kept if it is there and needed.
[[nodiscard]] std::span<const Kept> kept_capabilities();

// Whether a file at one of the paths can be made or opened again with the privilege to pass over permissions alone: its
// folder, or the file itself, is another user's and not open to all.
[[nodiscard]] bool others_own(const std::vector<std::string>& paths);

// Gives up what is not needed; the names of those that stay, for the log. Errors: runtime.
[[nodiscard]] Result<std::vector<std::string>> keep_capabilities(Duties duties);

}  // namespace nslookout::confine
