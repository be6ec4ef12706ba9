#include "base/walk_folder.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace nslookout {

namespace fs = std::filesystem;

std::vector<UnreadFolder> walk_folder(const std::string& folder,
                                      const std::function<bool(const fs::path& path, bool is_folder)>& visit) {
  std::vector<UnreadFolder> unread;
  std::set<fs::path> entered;
  std::vector<fs::path> to_enter = {folder};
  while (!to_enter.empty()) {
    const fs::path at = std::move(to_enter.back());
    to_enter.pop_back();
    std::error_code error;
    const fs::path canonical = fs::canonical(at, error);
    if (!error && !entered.insert(canonical).second) continue;
    std::vector<fs::path> found;
    fs::directory_iterator entry(at, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) found.push_back(entry->path());
    if (error) unread.push_back({at.native(), error});
    std::ranges::sort(found);
    std::vector<fs::path> folders;
    for (fs::path& path : found) {
      std::error_code unknown;
      const bool is_folder = fs::is_directory(path, unknown);
      if (visit(path, is_folder) && is_folder) folders.push_back(std::move(path));
    }
    std::move(folders.rbegin(), folders.rend(), std::back_inserter(to_enter));
  }
  return unread;
}

}  // namespace nslookout
