#include "match/query.h"

#include <algorithm>
#include <utility>

#include "base/case_fold.h"
#include "base/dns_flags.h"
#include "base/dns_name.h"
#include "base/idna.h"
#include "base/ip_address.h"
#include "base/rcode.h"
#include "base/record_type.h"
#include "compile/firing.h"

namespace nslookout::match {
namespace {

using sigma::Field;

std::string_view without_trailing_dot(std::string_view name) {
  if (name.size() > 1 && name.ends_with('.') && !name.ends_with("\\.")) name.remove_suffix(1);
  return name;
}

// "TXT", "TYPE16" and, as Zeek's qtype has it, "16".
std::string without_backslashes(std::string_view path) {
  std::string text;
  for (const char c : path) {
    if (c == '\\') {
      text += "\uFFFD";
    } else {
      text += c;
    }
  }
  return text;
}

bool is_windows_path(Field field, std::string_view text) {
  return compile::is_path(field) && text.find('\\') != std::string_view::npos;
}

FieldText made(Field field, std::string_view text) {
  if (sigma::is_name(field)) text = without_trailing_dot(text);
  FieldText value{std::string(text), fold_case(text)};
  if (field == Field::record_type) {
    if (const auto number = record_type_number(text)) value.folded = fold_case(record_type_name(*number));
  } else if (field == Field::rcode) {
    if (const auto number = rcode_number(text)) value.folded = fold_case(rcode_name(*number));
  } else if (sigma::is_address(field)) {
    if (const auto address = parse_ip_address(text)) value.folded = address->text();
  }
  return value;
}

}  // namespace

Query Query::of_wire(std::string_view wire) {
  Query query;
  query.set(Field::query, wire_to_presentation(wire));
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

void Query::read_also(const std::vector<NameReading>& readings) {
  std::vector<Query> queries(readings.size(), *this);
  for (std::size_t i = 0; i < readings.size(); ++i) {
    queries[i].add(Field::query, wire_to_presentation(readings[i].wire));
    queries[i].wire_ = readings[i].wire;
  }
  read_otherwise_ = std::move(queries);
}

Query Query::with_name(std::string_view wire) const {
  Query query = *this;
  query.read_otherwise_.clear();
  query.set(Field::query, wire_to_presentation(wire));
  query.wire_ = ascii_lower(wire);
  return query;
}

bool Query::asked_of_runtime() const {
  return asked_of_runtime_ || std::ranges::any_of(read_otherwise_, &Query::asked_of_runtime);
}

void Query::set_record_type(std::uint16_t number) { set(Field::record_type, record_type_name(number)); }

void Query::set_rcode(std::uint16_t number) { set(Field::rcode, rcode_name(number)); }

void Query::set_flags(std::uint16_t flags) {
  set(Field::reserved_flags, std::to_string((flags & dns_reserved_flags) / dns_lowest_reserved_flag));
  set(Field::recursion_desired, (flags & dns_recursion_desired) != 0 ? "true" : "false");
  flags_ = flags;
}

// text: what is about to be written.
void Query::note(Field field, std::string_view text) {
  if (!sigma::is_observed(field) || sigma::is_derived(field) || is_windows_path(field, text)) beyond_the_sensor_ = true;
}

Query::Slot& Query::writable(Field field, std::string_view name) {
  if (field == Field::query) wire_.clear();
  note(field, {});
  if (field != Field::other) return slots_[static_cast<std::size_t>(field)];
  for (OtherSlot& other : others_) {
    if (other.name == name) return other.slot;
  }
  return others_.emplace_back(OtherSlot{std::string(name), {}}).slot;
}

void Query::set(Field field, std::string_view text) {
  if (field >= Field::other) return;
  if (field == Field::record_type) record_type_ = record_type_number(text);
  Slot& slot = writable(field, {});
  slot.present = true;
  note(field, text);
  slot.values.assign(1, made(field, text));
}

void Query::add(Field field, std::string_view text) {
  if (field >= Field::other) return;
  Slot& slot = writable(field, {});
  slot.present = true;
  note(field, text);
  slot.values.push_back(made(field, text));
}

void Query::set_named(std::string_view field_name, std::string_view text) {
  const Field field = sigma::field_from_name(field_name);
  if (field != Field::other && field != Field::answer) {
    set(field, text);
    return;
  }
  Slot& slot = writable(field, field_name);
  slot.present = true;
  slot.values.push_back(made(field, text));
}

void Query::add_spelling(std::string_view name) {
  slots_[static_cast<std::size_t>(Field::query)].values.push_back(made(Field::query, name));
  beyond_the_sensor_ = true;
}

void Query::set_values(std::string_view field_name, const std::vector<std::string>& texts) {
  const Field field = sigma::field_from_name(field_name);
  Slot& slot = writable(field, field_name);
  slot.present = true;
  slot.values.clear();
  for (const std::string& text : texts) {
    note(field, text);
    slot.values.push_back(made(field, text));
  }
  if (field == Field::record_type) record_type_ = texts.size() == 1 ? record_type_number(texts[0]) : std::nullopt;
}

void Query::describe() const {
  for (const auto& [field, text] : std::exchange(describe_, nullptr)()) {
    const bool windows = is_windows_path(field, text);
    slots_[static_cast<std::size_t>(field)] = {true, {made(field, windows ? without_backslashes(text) : text)}};
  }
}

const Query::Slot* Query::find(Field field, std::string_view name) const {
  if (describe_ && sigma::is_circumstance(field)) describe();
  if (sigma::is_told_by_runtime(field)) asked_of_runtime_ = true;
  if (field < Field::other) return &slots_[static_cast<std::size_t>(field)];
  for (const OtherSlot& other : others_) {
    if (field == Field::other && other.name == name) return &other.slot;
  }
  return nullptr;
}

bool Query::present(Field field, std::string_view name) const {
  const Slot* slot = find(field, name);
  return slot != nullptr && slot->present;
}

std::span<const FieldText> Query::values(Field field, std::string_view name) const {
  const Slot* slot = find(field, name);
  if (slot == nullptr) return {};
  return slot->values;
}

const FieldText* Query::value(Field field) const {
  const std::span<const FieldText> all = values(field);
  return all.empty() ? nullptr : all.data();
}

void Query::each_value(const std::function<void(Field, const FieldText&)>& visit) const {
  if (describe_) describe();
  asked_of_runtime_ = true;
  for (std::size_t field = 0; field < slots_.size(); ++field) {
    for (const FieldText& value : slots_[field].values) visit(static_cast<Field>(field), value);
  }
  for (const OtherSlot& other : others_) {
    for (const FieldText& value : other.slot.values) visit(Field::other, value);
  }
}

}  // namespace nslookout::match
