#include "match/derived.h"

#include <optional>
#include <utility>

#include "base/case_fold.h"
#include "base/public_suffix.h"
#include "match/text.h"

namespace nslookout::match {
namespace {

std::string_view behind_first_label(std::string_view name) {
  const std::vector<std::string_view> labels = presentation_labels(name);
  return labels.size() < 2 ? std::string_view() : name.substr(labels[0].size() + 1);
}

std::string_view before_domain(std::string_view name, std::string_view domain) {
  if (domain.empty() || domain.size() + 1 >= name.size()) return {};
  return name.substr(0, name.size() - domain.size() - 1);
}

std::optional<FieldText> derived_of(const FieldText& name, sigma::Field field) {
  if (field == sigma::Field::query_length) {
    const std::string length = std::to_string(name_length(name.text));
    return FieldText{length, length};
  }
  std::string_view part;
  if (field == sigma::Field::query_etld_plus_one) part = registrable_domain(name.folded);
  if (field == sigma::Field::parent_domain) part = behind_first_label(name.text);
  if (field == sigma::Field::subdomain) part = before_domain(name.text, registrable_domain(name.folded));
  if (part.empty()) return std::nullopt;
  return FieldText{std::string(part), fold_case(part)};
}

}  // namespace

std::vector<FieldText> derived_values(const Query& query, sigma::Field field) {
  std::vector<FieldText> values;
  for (const FieldText& name : query.values(sigma::Field::query)) {
    if (auto value = derived_of(name, field)) values.push_back(std::move(*value));
  }
  return values;
}

}  // namespace nslookout::match
