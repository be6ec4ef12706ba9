// Threads beside the one that waits at the ring: they read rules, ask container runtimes, write to outputs.
//
// No signal wakes them: signals are for the thread at the ring, which has to wake up. And they give up every capability but
// those that pass over the permissions of files: nothing that parses input of others can use bpf(2), whatever goes wrong there.
// Thread rule: any thread.
#pragma once

#include <pthread.h>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "base/result.h"

namespace nslookout {

// Of the calling thread.
void keep_capabilities_for_files();

// A thread with every signal blocked; the caller's own mask is as before. Where none can be started, for what starts while the
// agent runs, that is an error like any other (base/own_thread.h says what is enough for it): runtime.
template <typename Function>
[[nodiscard]] Result<std::thread> try_quiet_thread(Function function) {
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  std::error_code refused;
  try {
    thread = std::thread([function = std::move(function)]() mutable {
      keep_capabilities_for_files();
      function();
    });
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

// The same for what starts when the agent does, which ends with that sentence: throws std::runtime_error.
template <typename Function>
[[nodiscard]] std::thread start_quiet_thread(Function function) {
  Result<std::thread> thread = try_quiet_thread(std::move(function));
  if (!thread) throw std::runtime_error(thread.error().message);
  return std::move(*thread);
}

}  // namespace nslookout
