// A thread for what a thread cannot take back, such as entering a namespace: it does that one thing, and ends.
//
// It keeps the caller's capabilities and signals; for threads that live on see base/quiet_thread.h. Where no thread can be
// started (the pids of a cgroup, kernel.threads-max: a fork bomb is enough) that is an error like any other.
// Thread rule: any thread; waits for the other one.
#pragma once

#include <functional>
#include <system_error>
#include <thread>

#include "base/result.h"

namespace nslookout {

// Error: runtime.
template <typename Function>
[[nodiscard]] Result<void> in_own_thread(Function function) {
  try {
    std::thread(std::ref(function)).join();
  } catch (const std::system_error& error) {
    return fail(ErrorClass::runtime, "starting a thread: {}", errno_text(error.code().value()));
  }
  return {};
}

}  // namespace nslookout
