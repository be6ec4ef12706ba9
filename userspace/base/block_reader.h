// Octets of a descriptor, a block at a time, for what cuts lines or records off a growing buffer. The block is kept, so that
// a read neither makes nor clears one.
// Thread rule: one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace nslookout {

class BlockReader {
 public:
  // The descriptor is the caller's, and outlives this.
  explicit BlockReader(int fd) : fd_(fd) {}

  // Appends what is there, a block at most: how many octets, 0 at the end. Nothing on an error, which errno tells.
  [[nodiscard]] std::optional<std::size_t> append_to(std::string& buffer);

 private:
  static constexpr std::size_t block_octets = 65536;

  int fd_;
  std::unique_ptr<char[]> block_ = std::make_unique_for_overwrite<char[]>(block_octets);
};

}  // namespace nslookout
