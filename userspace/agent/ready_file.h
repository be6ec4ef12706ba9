// The file that tells others that the agent watches (--ready-file): it is there from then on until the agent ends.
//
// Invariant: from construction on, a file that an earlier run left (one ended with SIGKILL, say) is gone. Only regular
// files are removed, so /dev/null or a FIFO may be named. Thread rule: one thread.
#pragma once

#include <string>

#include "base/result.h"

namespace nslookout::agent {

class ReadyFile {
 public:
  explicit ReadyFile(std::string path);  // empty: none is wanted
  ReadyFile(const ReadyFile&) = delete;
  ReadyFile& operator=(const ReadyFile&) = delete;
  ~ReadyFile();

  // Whether write() will work, as far as that can be known without making the file. Error: runtime.
  [[nodiscard]] Result<void> check() const;

  // Error: runtime, the path cannot be written.
  [[nodiscard]] Result<void> write() const;

 private:
  void remove() const;
  [[nodiscard]] Result<void> cannot_write(int error) const;

  std::string path_;
};

}  // namespace nslookout::agent
