#include "tests/support/source_dir.h"

namespace nslookout {

std::filesystem::path source_dir() { return NSLOOKOUT_SOURCE_DIR; }

}  // namespace nslookout
