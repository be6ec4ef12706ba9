// What the agent gives up once its programs are attached and its tables filled (SECURITY.md).
// Thread rule: the thread that runs the agent, once, after the other threads have been started or before.
#pragma once

#include "agent/agent.h"

namespace nslookout::agent {

// Logs what is kept, and what could not be given up: an agent that runs with more than it needs is better than none.
void give_up_privileges(const RunOptions& options);

// Rules and lists of the run that any user may write are an error (invalid), unless that was allowed.
[[nodiscard]] Result<void> check_writers(const RunOptions& options);

}  // namespace nslookout::agent
