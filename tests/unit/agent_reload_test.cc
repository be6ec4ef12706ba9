// agent/reload.h: which changes are noticed.
#include "agent/reload.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

namespace nslookout::agent {
namespace {

namespace fs = std::filesystem;

TEST(Reloader, SeesChangesInAFolderBehindALink) {
  std::string pattern = (fs::temp_directory_path() / "nslookout-reload-XXXXXX").native();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  const fs::path root = pattern;
  fs::create_directories(root / "rules");
  fs::create_directories(root / "elsewhere/deeper");
  fs::create_directory_symlink(root / "elsewhere", root / "rules/linked");
  {
    Reloader reloader({(root / "rules").native()}, [] { return fail(ErrorClass::invalid, "loaded"); });
    ASSERT_EQ(reloader.not_watched(), "");
    std::ofstream(root / "elsewhere/deeper/a.yml") << "title: new\n";
    std::optional<Result<Loaded>> outcome;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!outcome && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      outcome = reloader.take();
    }
    ASSERT_TRUE(outcome) << "the change was not noticed";
    EXPECT_EQ(outcome->error().message, "loaded");
  }
  fs::remove_all(root);
}

}  // namespace
}  // namespace nslookout::agent
