#include "identity/variable_filter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "bpf/abi.h"

namespace nslookout::identity {

VariableFilter::~VariableFilter() { ::explicit_bzero(name_.data(), name_.size()); }

void VariableFilter::end_variable() {
  if (part_ == Part::value) variables_ += '\0';
  part_ = Part::name;
  name_length_ = 0;
}

void VariableFilter::take(char octet) {
  if (octet == '\0') return end_variable();
  switch (part_) {
    case Part::name: {
      if (octet != '=' && name_length_ < name_.size()) {
        name_[name_length_++] = octet;
        return;
      }
      const std::string_view name(name_.data(), name_length_);
      const bool wanted = octet == '=' && std::ranges::binary_search(allowed_environment(), name) &&
                          variables_.size() < NSL_VARIABLES_AT;
      if (wanted) {
        variables_.append(name).push_back('=');
        variable_length_ = name.size() + 1;
      }
      part_ = wanted ? Part::value : Part::skipped;
      ::explicit_bzero(name_.data(), name_.size());
      return;
    }
    case Part::value:
      if (++variable_length_ < NSL_VARIABLE_MAX) variables_ += octet;
      return;
    case Part::skipped:
      return;
  }
}

void VariableFilter::take(std::string_view octets) {
  for (const char octet : octets) take(octet);
}

std::string VariableFilter::finish() {
  end_variable();
  return std::exchange(variables_, {});
}

}  // namespace nslookout::identity
