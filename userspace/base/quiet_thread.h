// Threads beside the one that waits at the ring: they read rules, ask container runtimes, write to outputs.
//
// No signal wakes them: signals are for the thread at the ring, which has to wake up. And they give up every capability but
// those that pass over the permissions of files: nothing that parses input of others can use bpf(2), whatever goes wrong there.
// Thread rule: any thread.
#pragma once

#include <stdexcept>
#include <thread>
#include <utility>

#include "base/own_thread.h"
#include "base/result.h"

namespace nslookout {

// Of the calling thread.
void keep_capabilities_for_files();

// For what starts while the agent runs: where none can be started that is an error like any other (base/own_thread.h): runtime.
template <typename Function>
[[nodiscard]] Result<std::thread> try_quiet_thread(Function function) {
  return thread_without_signals([function = std::move(function)]() mutable {
    keep_capabilities_for_files();
    function();
  });
}

// The same for what starts when the agent does, which ends with that sentence: throws std::runtime_error.
template <typename Function>
[[nodiscard]] std::thread start_quiet_thread(Function function) {
  Result<std::thread> thread = try_quiet_thread(std::move(function));
  if (!thread) throw std::runtime_error(thread.error().message);
  return std::move(*thread);
}

}  // namespace nslookout
