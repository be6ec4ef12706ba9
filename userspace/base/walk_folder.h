// What is below a folder, as rules are looked for, watched and judged: all three must see the same files.
//
// Symbolic links to folders are followed (Kubernetes publishes an item of a ConfigMap with a path behind one). Invariant: each
// folder is entered once, whatever leads to it, so that loops end. The order is that of the names in each folder.
// Thread rule: any thread. Nothing here throws but what visit throws.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

namespace nslookout {

// A folder that could not be read, and why.
struct UnreadFolder {
  std::string path;
  std::error_code error;
};

// visit is called for each file and folder below; of a folder it says whether to go into it.
std::vector<UnreadFolder> walk_folder(
    const std::string& folder, const std::function<bool(const std::filesystem::path& path, bool is_folder)>& visit);

}  // namespace nslookout
