// A fuzzer's input, taken piece by piece, and the one way for a fuzzer to say that something is wrong.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace nslookout::fuzz {

// Ends the run with the input at hand, which libFuzzer then writes to a file.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

class Octets {
 public:
  Octets(const std::uint8_t* octets, std::size_t size) : rest_(reinterpret_cast<const char*>(octets), size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  // 0 when there is none left.
  std::uint8_t octet() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return first;
  }
  std::string_view take(std::size_t most) {
    const std::string_view taken = rest_.substr(0, most);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace nslookout::fuzz
