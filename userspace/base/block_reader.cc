#include "base/block_reader.h"

#include <unistd.h>

#include <cerrno>

namespace nslookout {

std::optional<std::size_t> BlockReader::append_to(std::string& buffer) {
  ssize_t got = 0;
  do {
    got = ::read(fd_, block_.get(), block_octets);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return std::nullopt;
  buffer.append(block_.get(), static_cast<std::size_t>(got));
  return static_cast<std::size_t>(got);
}

}  // namespace nslookout
