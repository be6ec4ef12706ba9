#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "identity/cgroup_paths.h"

namespace nslookout::identity {
namespace {

std::string cgroup2_mount() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device, place, type;
    words >> device >> place >> type;
    if (type == "cgroup2") return place;
  }
  return {};
}

class CgroupPathsOfHost : public testing::Test {
 protected:
  void SetUp() override {
    mount_ = cgroup2_mount();
    name_ = "/nslookout-test-" + std::to_string(::getpid());
    if (::geteuid() != 0) GTEST_SKIP() << "needs root (CAP_DAC_READ_SEARCH)";
    if (mount_.empty()) GTEST_SKIP() << "no cgroup2 is mounted";
    if (::mkdir((mount_ + name_).c_str(), 0755) != 0) GTEST_SKIP() << "no cgroup can be made below " << mount_;
  }
  void TearDown() override { ::rmdir((mount_ + name_).c_str()); }

  // The inode number of a cgroup's directory is its id.
  [[nodiscard]] std::uint64_t id_of(const std::string& path) const {
    struct stat status{};
    EXPECT_EQ(::stat((mount_ + path).c_str(), &status), 0);
    return status.st_ino;
  }

  std::string mount_, name_;
};

TEST_F(CgroupPathsOfHost, AnIdGivesThePathAlsoAfterTheCgroupHasGoneIfItWasSeen) {
  const std::uint64_t id = id_of(name_);
  CgroupPaths paths(mount_);
  EXPECT_EQ(paths.path_of(id), name_);
  EXPECT_EQ(paths.path_of(id_of("/")), "/");
  ASSERT_EQ(::rmdir((mount_ + name_).c_str()), 0);
  EXPECT_EQ(paths.path_of(id), name_);
  CgroupPaths fresh(mount_);
  EXPECT_EQ(fresh.path_of(id), std::nullopt);
}

TEST(CgroupPaths, WithoutAMountOrAnIdThereIsNoPath) {
  CgroupPaths none("");
  EXPECT_EQ(none.path_of(1), std::nullopt);
  CgroupPaths missing("/nonexistent/cgroup");
  EXPECT_EQ(missing.path_of(1), std::nullopt);
  CgroupPaths here(cgroup2_mount());
  EXPECT_EQ(here.path_of(0), std::nullopt);
}

}  // namespace
}  // namespace nslookout::identity
