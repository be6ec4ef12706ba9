// base/walk_folder.h: what is visited, in which order, and that loops end.
#include "base/walk_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace nslookout {
namespace {

namespace fs = std::filesystem;

TEST(WalkFolder, EachFolderOnceBehindLinksToo) {
  std::string pattern = (fs::temp_directory_path() / "nslookout-walk-XXXXXX").native();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  const fs::path root = pattern;
  fs::create_directories(root / "top/b/c");
  fs::create_directories(root / "outside");
  for (const char* file : {"top/z", "top/b/c/x", "outside/y"}) std::ofstream(root / file) << "\n";
  fs::create_directory_symlink(root / "outside", root / "top/a");
  fs::create_directory_symlink("..", root / "top/b/up");
  fs::create_directory_symlink("b", root / "top/d");
  fs::create_symlink("nowhere", root / "top/gone");

  std::vector<std::string> seen;
  const auto unread = walk_folder((root / "top").native(), [&](const fs::path& path, bool is_folder) {
    seen.push_back(path.lexically_relative(root / "top").native() + (is_folder ? "/" : ""));
    return path.filename() != "c";
  });
  EXPECT_TRUE(unread.empty());
  EXPECT_EQ(seen, (std::vector<std::string>{"a/", "b/", "d/", "gone", "z", "a/y", "b/c/", "b/up/"}));

  const auto missing = walk_folder((root / "nothing").native(), [](const fs::path&, bool) { return true; });
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].path, (root / "nothing").native());
  fs::remove_all(root);
}

}  // namespace
}  // namespace nslookout
