// A feed of names to list: the first names of a real one where it is at hand (1,160,380 names, no part of the tree; where it
// is sought: tests/unit/shared_material.h), made up ones otherwise (names.h).
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace nslookout::bench {

inline constexpr std::size_t feed_names = 1'160'380;

struct Feed {
  std::string text;   // a name a line
  bool real = false;  // else made up
};

// count: feed_names at most.
[[nodiscard]] Result<Feed> read_feed(std::size_t count);

}  // namespace nslookout::bench
