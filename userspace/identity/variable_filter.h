// Picks the allowed variables from the octets of an environment, block by block, and keeps nothing of the others: what has
// been collected of a variable that turns out not to be allowed is overwritten at once.
// Thread rule: one thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "identity/environment_names.h"

namespace nslookout::identity {

class VariableFilter {
 public:
  VariableFilter() = default;
  VariableFilter(const VariableFilter&) = delete;
  VariableFilter& operator=(const VariableFilter&) = delete;
  ~VariableFilter();

  void take(std::string_view octets);

  // "NAME=value" each closed by NUL; values and the whole are cut as the kernel cuts them. Call once, at the end.
  [[nodiscard]] std::string finish();

 private:
  enum class Part { name, value, skipped };

  void take(char octet);
  void end_variable();

  Part part_ = Part::name;
  std::array<char, environment_name_max> name_{};
  std::size_t name_length_ = 0;
  std::size_t variable_length_ = 0;  // of the one that is being taken, its name included
  std::string variables_;
};

}  // namespace nslookout::identity
