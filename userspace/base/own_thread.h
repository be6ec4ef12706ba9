// A thread for what a thread cannot take back, such as entering a namespace: it does that one thing, and ends.
//
// It keeps the caller's capabilities and signals; for threads that live on see base/quiet_thread.h. Where no thread can be
// started (the pids of a cgroup, kernel.threads-max: a fork bomb is enough) that is an error like any other.
// Thread rule: any thread; waits for the other one.
#pragma once

#include <pthread.h>
#include <csignal>
#include <functional>
#include <system_error>
#include <thread>
#include <utility>

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

// A thread with every signal blocked, for signals are for the thread at the ring; the caller's own mask is as before. Error:
// runtime, where none can be started.
template <typename Function>
[[nodiscard]] Result<std::thread> thread_without_signals(Function function) {
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  std::error_code refused;
  try {
    thread = std::thread(std::move(function));
  } catch (const std::system_error& error) {
    refused = error.code();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (refused) {
    return fail(ErrorClass::runtime, "a thread cannot be started: {} (is there a limit of processes?)",
                refused.message());
  }
  return thread;
}

}  // namespace nslookout
