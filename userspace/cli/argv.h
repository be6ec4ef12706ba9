// The words of a command line as execve(2) and posix_spawn(3) take them.
#pragma once

#include <string>
#include <vector>

namespace nslookout::cli {

// Ends with a null pointer; points into words, which nobody changes.
[[nodiscard]] inline std::vector<char*> argv_of(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): the type is C's
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  return argv;
}

}  // namespace nslookout::cli
