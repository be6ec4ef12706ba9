// A file in memory, for what reads descriptors or paths.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/fd.h"
#include "octets.h"

namespace nslookout::fuzz {

class MemoryFile {
 public:
  explicit MemoryFile(std::string_view octets) : fd_(memfd_create("fuzzed", MFD_CLOEXEC)) {
    require(fd_.valid() && write(fd_.get(), octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()) &&
                lseek(fd_.get(), 0, SEEK_SET) == 0,
            "a file in memory");
  }
  // At its beginning.
  [[nodiscard]] int get() const { return fd_.get(); }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

 private:
  Fd fd_;
};

}  // namespace nslookout::fuzz
