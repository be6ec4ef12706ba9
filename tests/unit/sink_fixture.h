// A folder of its own for each test, and what the tests of sinks read back from it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace nslookout::sink {

class SinkTest : public testing::Test {
 protected:
  SinkTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nslookout-sink-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~SinkTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string path(std::string_view name) const { return (folder_ / name).string(); }

  static std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // dns.query of each line; "cut" for a line that is not JSON.
  static std::vector<std::string> queries(std::string_view lines) {
    std::vector<std::string> found;
    while (!lines.empty()) {
      const std::size_t end = lines.find('\n');
      const auto line = nlohmann::json::parse(lines.substr(0, end), nullptr, false);
      found.push_back(line.is_discarded() ? "cut" : line.at("dns").at("query").get<std::string>());
      lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    }
    return found;
  }

  std::filesystem::path folder_;
};

}  // namespace nslookout::sink
