#include "base/public_suffix.h"

#include <algorithm>
#include <string>

#include <libpsl.h>

namespace nslookout {
namespace {

bool is_ordinary(std::string_view label) {
  return std::ranges::all_of(
      label, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

}  // namespace

std::vector<std::string_view> presentation_labels(std::string_view name) {
  std::vector<std::string_view> labels;
  if (name.empty() || name == ".") return labels;
  std::size_t start = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\') {
      ++i;
    } else if (name[i] == '.') {
      labels.push_back(name.substr(start, i - start));
      start = i + 1;
    }
  }
  labels.push_back(name.substr(start));
  return labels;
}

std::string_view registrable_domain(std::string_view name) {
  const std::vector<std::string_view> labels = presentation_labels(name);
  // No label of the list has an escape, so one that has any is as good as a letter here, and dots count labels again.
  std::string plain;
  for (const std::string_view label : labels) {
    if (!plain.empty()) plain += '.';
    plain += is_ordinary(label) && !label.empty() ? label : std::string_view("x");
  }
  const char* domain = psl_registrable_domain(psl_builtin(), plain.c_str());
  if (domain == nullptr) return {};
  const auto kept = static_cast<std::size_t>(std::ranges::count(std::string_view(domain), '.')) + 1;
  if (kept > labels.size()) return {};
  const std::string_view first = labels[labels.size() - kept];
  return name.substr(static_cast<std::size_t>(first.data() - name.data()));
}

bool is_suffix_of_registry(std::string_view name) {
  return psl_is_public_suffix2(psl_builtin(), std::string(name).c_str(), PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) != 0;
}

bool ends_in_top_level_domain(std::string_view name) {
  const std::vector<std::string_view> labels = presentation_labels(name);
  if (labels.empty() || !is_ordinary(labels.back())) return false;
  const std::string last(labels.back());
  return psl_is_public_suffix2(psl_builtin(), last.c_str(), PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
}

}  // namespace nslookout
