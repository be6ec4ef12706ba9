// A /proc of a few files, made by a test.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

namespace nslookout::identity {

class FakeProc {
 public:
  FakeProc() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nslookout-proc-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directories(root_ / "1/ns");
    std::filesystem::create_symlink("pid:[4026531836]", root_ / "1/ns/pid");
  }
  FakeProc(const FakeProc&) = delete;
  FakeProc& operator=(const FakeProc&) = delete;
  ~FakeProc() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  [[nodiscard]] std::string path(const std::string& below = "") const { return (root_ / below).string(); }

  void write(const std::string& below, const std::string& text) const {
    std::filesystem::create_directories((root_ / below).parent_path());
    std::ofstream(root_ / below, std::ios::binary) << text;
  }

  void link(const std::string& below, const std::string& target) const {
    std::filesystem::create_directories((root_ / below).parent_path());
    std::filesystem::remove(root_ / below);
    std::filesystem::create_symlink(target, root_ / below);
  }

  // A process as proc(5) shows it; start in clock ticks since boot.
  void add(std::uint32_t pid, const std::string& comm, std::uint64_t start_ticks) const {
    write(fmt::format("{}/stat", pid),
          fmt::format("{} ({}) S 7 8 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 {} 1000 20 18446744073709551615\n", pid,
                      comm, start_ticks));
    link(fmt::format("{}/exe", pid), "/usr/bin/from-proc");
    link(fmt::format("{}/cwd", pid), "/srv/shop");
    write(fmt::format("{}/cmdline", pid), std::string("from-proc\0--flag\0", 17));
    write(fmt::format("{}/cgroup", pid), "1:name=systemd:/v1\n0::/v2/path\n");
  }

 private:
  std::filesystem::path root_;
};

}  // namespace nslookout::identity
