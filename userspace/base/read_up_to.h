// The octets of a descriptor, with a bound: files of /proc and others that do not say their size.
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace nslookout {

// From where the descriptor stands to the end, limit octets at most. Nothing on an error, which errno tells.
[[nodiscard]] std::optional<std::string> read_up_to(int fd, std::size_t limit);

}  // namespace nslookout
