// Threads beside the one that waits at the ring: they read rules, ask container runtimes, write to outputs.
//
// No signal wakes them: signals are for the thread at the ring, which has to wake up. And they give up every capability but
// those that pass over the permissions of files: nothing that parses input of others can use bpf(2), whatever goes wrong there.
// Thread rule: any thread.
#pragma once

#include <pthread.h>
#include <csignal>
#include <thread>
#include <utility>

namespace nslookout {

// Of the calling thread.
void keep_capabilities_for_files();

// A thread with every signal blocked; the caller's own mask is as before.
template <typename Function>
[[nodiscard]] std::thread start_quiet_thread(Function function) {
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread([function = std::move(function)]() mutable {
    keep_capabilities_for_files();
    function();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace nslookout
