#include "base/read_up_to.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace nslookout {

std::optional<std::string> read_up_to(int fd, std::size_t limit) {
  std::string octets;
  std::array<char, 16384> block{};
  while (octets.size() < limit) {
    const ssize_t got = ::read(fd, block.data(), std::min(block.size(), limit - octets.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    octets.append(block.data(), static_cast<std::size_t>(got));
  }
  return octets;
}

}  // namespace nslookout
