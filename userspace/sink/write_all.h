// Octets onto a descriptor, however many write(2) it takes, without ever waiting longer than agreed.
// Thread rule: one thread per descriptor.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace nslookout::sink {

// How long a reader may take nothing before an event is given up. The kernel's ring holds some ten thousand candidates
// meanwhile.
inline constexpr std::chrono::milliseconds reader_patience{1000};

// Between two tries at a reader on this host.
inline constexpr std::chrono::milliseconds local_pause{200};

struct WriteOutcome {
  std::size_t written = 0;
  int error = 0;  // errno; 0: everything was written; ETIMEDOUT: the reader took nothing for the whole patience

  [[nodiscard]] bool complete() const { return error == 0; }
  [[nodiscard]] std::string reason() const;
};

// A regular file takes everything at once. Any other descriptor is polled first and, as it may be blocking, gets no
// more at once than a pipe that polls writable is sure to take.
[[nodiscard]] WriteOutcome write_all(int fd, std::string_view octets, bool regular_file,
                                     std::chrono::milliseconds patience);

}  // namespace nslookout::sink
