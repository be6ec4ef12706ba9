// Where the tests find the material that is no part of the tree (rule corpora, feeds): $NSLOOKOUT_SHARED, else the
// folder "shared" beside the source tree. A test that needs it skips where it is absent.
#pragma once

#include <cstdlib>
#include <filesystem>

#include "tests/support/source_dir.h"

namespace nslookout {

inline std::filesystem::path shared_material() {
  const char* named = std::getenv("NSLOOKOUT_SHARED");
  if (named != nullptr && *named != '\0') return named;
  return source_dir().parent_path() / "shared";
}

}  // namespace nslookout

// To be used in a test body, since only that can be skipped.
#define NSLOOKOUT_SKIP_WITHOUT(path) \
  if (!std::filesystem::exists(path)) GTEST_SKIP() << (path) << " is absent; set NSLOOKOUT_SHARED to its folder"
