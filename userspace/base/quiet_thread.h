// Threads that no signal wakes: signals are for the thread that waits at the ring, which has to wake up.
// Thread rule: any thread.
#pragma once

#include <pthread.h>
#include <csignal>
#include <thread>
#include <utility>

namespace nslookout {

// A thread with every signal blocked; the caller's own mask is as before.
template <typename Function>
[[nodiscard]] std::thread start_quiet_thread(Function function) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(function));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace nslookout
