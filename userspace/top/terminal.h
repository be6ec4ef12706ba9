// The terminal while it shows a screen: raw keys, the alternate screen, no cursor; as it was before however that ends.
//
// The destructor gives it back; so does a handler for signals that kill (SIGSEGV, SIGABRT and their like), and suspend().
// What cannot be helped is SIGKILL. Sequences: ECMA-48, and xterm's private modes 7, 25 and 1049, which every terminal of
// today has.
// Thread rule: one Terminal in a process, one thread.
#pragma once

#include <termios.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace nslookout::top {

class Terminal {
 public:
  // Of this process (/dev/tty). Errors: usage where there is none, or one that can show no screen (TERM=dumb).
  [[nodiscard]] static Result<Terminal> open();

  Terminal(Terminal&& other) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  [[nodiscard]] int descriptor() const { return fd_.get(); }

  struct Size {
    std::size_t width, height;
  };
  [[nodiscard]] Size size() const;

  [[nodiscard]] Result<void> draw(const std::vector<std::string>& lines);
  // What was typed; empty at its end.
  [[nodiscard]] std::string keys() const;

  // Gives the terminal back, stops this process as SIGTSTP does, and takes it again once it is continued.
  void suspend();

 private:
  Terminal(Fd fd, const termios& before) : fd_(std::move(fd)), before_(before) {}

  void enter();
  void leave();

  Fd fd_;
  termios before_;
};

}  // namespace nslookout::top
