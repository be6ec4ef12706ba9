// Where the source tree is. In one file of its own, so that no other object depends on the folder it was built in.
#pragma once

#include <filesystem>

namespace nslookout {

[[nodiscard]] std::filesystem::path source_dir();

}  // namespace nslookout
