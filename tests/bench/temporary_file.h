// A file beside others of the machine's temporary folder, gone when this is.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace nslookout::bench {

class TemporaryFile {
 public:
  // suffix: what the name ends with; one of a process at a time.
  explicit TemporaryFile(std::string_view suffix, std::string_view text = {})
      : path_(std::filesystem::temp_directory_path() /
              ("nslookout-bench-" + std::to_string(getpid()) + std::string(suffix))) {
    std::ofstream(path_) << text;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return path_.native(); }

 private:
  std::filesystem::path path_;
};

}  // namespace nslookout::bench
