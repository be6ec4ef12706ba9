// A directory of a test's own that stands for the root of another host; removed at the end.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace nslookout::tests {

class FakeTree {
 public:
  FakeTree() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nslookout-tree-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no directory can be made for the fake tree";
    root_ = pattern;
  }
  FakeTree(const FakeTree&) = delete;
  FakeTree& operator=(const FakeTree&) = delete;
  FakeTree(FakeTree&&) = delete;
  FakeTree& operator=(FakeTree&&) = delete;
  ~FakeTree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

  void write(const std::string& path, const std::string& content) const {
    const auto file = place(path);
    std::ofstream(file, std::ios::binary) << content;
  }

  void link(const std::string& path, const std::string& target) const {
    std::filesystem::create_symlink(target, place(path));
  }

 private:
  [[nodiscard]] std::filesystem::path place(const std::string& path) const {
    const auto file = root_ / std::filesystem::path(path).relative_path();
    std::filesystem::create_directories(file.parent_path());
    return file;
  }

  std::filesystem::path root_;
};

}  // namespace nslookout::tests
