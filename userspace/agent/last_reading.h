// The last reading of the rings, once nothing should fill them any more: to their end, but for a limited time. Programs that are
// pinned go on, under a flood without end, and a supervisor that waits in vain kills. Thread rule: any thread.
#pragma once

#include <chrono>
#include <functional>

#include "base/result.h"

namespace nslookout::agent {

// Takes turns until one leaves nothing behind, or the time is over: whether nothing is left. turn: whether there is more.
[[nodiscard]] inline Result<bool> read_to_the_end(std::chrono::milliseconds limit,
                                                  const std::function<Result<bool>()>& turn) {
  const auto end = std::chrono::steady_clock::now() + limit;
  do {
    const Result<bool> more = turn();
    if (!more) return fail(more.error());
    if (!*more) return true;
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace nslookout::agent
