#include "match/query.h"

#include <utility>

#include "base/dns_name.h"
#include "base/idna.h"
#include "base/record_type.h"

namespace nslookout::match {
namespace {

FieldText folded_too(std::string_view text) { return {std::string(text), ascii_lower(text)}; }

std::string_view without_trailing_dot(std::string_view name) {
  if (name.size() > 1 && name.ends_with('.') && !name.ends_with("\\.")) name.remove_suffix(1);
  return name;
}

}  // namespace

Query Query::of_wire(std::string_view wire) {
  Query query;
  query.values_[static_cast<std::size_t>(sigma::Field::query)] = folded_too(wire_to_presentation(wire));
  // Length octets are below 'A', so folding the whole wire form changes labels alone.
  query.wire_ = ascii_lower(wire);
  return query;
}

Result<Query> Query::of_name(std::string_view name) {
  const Result<std::string> ascii = labels_to_ascii(name);
  if (!ascii) return fail(ascii.error());
  const Result<std::string> wire = presentation_to_wire(*ascii);
  if (!wire) return fail(wire.error());
  return of_wire(*wire);
}

void Query::set_record_type(std::uint16_t number) {
  values_[static_cast<std::size_t>(sigma::Field::record_type)] = folded_too(record_type_name(number));
  record_type_ = number;
}

void Query::set(sigma::Field field, std::string_view text) {
  if (field == sigma::Field::other) return;
  if (field == sigma::Field::query) {
    text = without_trailing_dot(text);
    wire_.clear();
  }
  if (field == sigma::Field::record_type) record_type_ = record_type_number(text);
  values_[static_cast<std::size_t>(field)] = folded_too(text);
}

void Query::set_named(std::string_view field_name, std::string_view text) {
  const sigma::Field field = sigma::field_from_name(field_name);
  if (field != sigma::Field::other) {
    set(field, text);
    return;
  }
  others_.push_back({std::string(field_name), folded_too(text)});
}

const FieldText* Query::value(sigma::Field field) const {
  if (field == sigma::Field::other) return nullptr;
  const bool on_the_wire = field == sigma::Field::query || field == sigma::Field::record_type;
  if (!on_the_wire && describe_sender_) {
    for (const auto& [known, text] : std::exchange(describe_sender_, nullptr)()) {
      values_[static_cast<std::size_t>(known)] = folded_too(text);
    }
  }
  const std::optional<FieldText>& value = values_[static_cast<std::size_t>(field)];
  return value ? &*value : nullptr;
}

std::vector<const FieldText*> Query::other_values(std::string_view field_name) const {
  std::vector<const FieldText*> values;
  for (const OtherValue& other : others_) {
    if (other.name == field_name) values.push_back(&other.value);
  }
  return values;
}

}  // namespace nslookout::match
