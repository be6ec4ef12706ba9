// Events as JSON lines while they are written: from a pipe, or from a file that is followed as `tail -F` does.
//
// Invariants: read() takes bounded work and never waits, so that keys are answered whatever comes. A file that is not there
// yet, was replaced (rotated) or cut off is gone on with; what was in it before is read too.
// Thread rule: one thread at a time.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "event/event.h"

namespace nslookout::top {

class Feed {
 public:
  using Handler = std::function<void(const event::Event&)>;

  // A pipe or a socket; its reads do not block from now on. Error: runtime.
  [[nodiscard]] static Result<Feed> of_pipe(Fd pipe, const std::string& name);
  [[nodiscard]] static Feed of_file(const std::string& path) { return {Fd(), path, true}; }

  // To wait for; -1 for a file, which is to be looked at from time to time.
  [[nodiscard]] int descriptor() const { return follows_ ? -1 : fd_.get(); }

  // Hands over the whole lines of at most a few blocks. True: there may be more at once. Errors: runtime for a failed read;
  // invalid when the first line is no event, with what to do.
  [[nodiscard]] Result<bool> read(const Handler& handler);

  [[nodiscard]] bool ended() const { return ended_; }                    // of a pipe: no more can come
  [[nodiscard]] bool waits() const { return follows_ && !fd_.valid(); }  // for its file
  [[nodiscard]] std::uint64_t bad() const { return bad_; }               // lines that are no events

 private:
  Feed(Fd fd, std::string name, bool follows) : fd_(std::move(fd)), name_(std::move(name)), follows_(follows) {}

  void find_file();
  [[nodiscard]] Result<void> take_lines(const Handler& handler);

  Fd fd_;
  std::string name_;
  bool follows_;
  bool ended_ = false;
  bool in_long_line_ = false;
  std::string buffer_;
  off_t offset_ = 0;
  std::uint64_t good_ = 0;
  std::uint64_t bad_ = 0;
};

}  // namespace nslookout::top
