// The summary of a replay: what was read, and what was passed over and why.
// Thread rule: any thread.
#pragma once

#include <string>
#include <vector>

#include "agent/replay.h"

namespace nslookout::cli {

// One line for the totals, and one for each reason why something was not looked at that occurred.
[[nodiscard]] std::vector<std::string> replay_summary(const std::string& file, const agent::ReplayOutcome& outcome);

// What makes the replay a failure although it ran: a damaged capture, no packet of a link type that is read, lost events.
[[nodiscard]] Result<void> replay_verdict(const std::string& file, const agent::ReplayOutcome& outcome);

}  // namespace nslookout::cli
