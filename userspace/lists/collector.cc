#include "lists/collector.h"

#include <functional>

namespace nslookout::lists {

void Collector::begin_line(std::string_view line, std::size_t lines) {
  line_ = line;
  number_ = next_number_;
  next_number_ += lines;
  line_is_bad_ = false;
}

bool Collector::list_usual(std::string_view text) {
  const auto wire = reader_.usual(text);
  if (!wire || may_be_address(text)) return false;
  add(*wire, false, false);
  return true;
}

void Collector::enter(std::string_view text, bool allowed) {
  std::string_view name = text;
  if (name.starts_with("*.")) name.remove_prefix(1);
  const bool only_below = name.starts_with('.') && name.size() > 1;
  if (only_below) name.remove_prefix(1);
  if (may_be_address(name)) return bad(text, "an address, not a name");
  const Result<std::string_view> wire = reader_.read(name);
  if (!wire) return bad(text, wire.error().message);
  add(*wire, allowed, only_below);
}

void Collector::add(std::string_view wire, bool allowed, bool only_below) {
  const NameTable::Added added = allowed ? table_.allow(wire, !only_below, true)
                                         : table_.add(wire, !only_below, only_below || scope_ == Scope::suffix);
  if (added == NameTable::Added::full) ++report_.names_too_many;
}

void Collector::bad(std::string_view at, std::string_view reason) {
  if (line_is_bad_) return;
  line_is_bad_ = true;
  if (report_.bad_lines++ > 0) return;
  const char* const end = line_.data() + line_.size();
  // A name that was put together (a zone's origin) is no part of the line.
  const bool within = !std::less<>()(at.data(), line_.data()) && !std::less<>()(end, at.data());
  report_.first_bad_line = number_;
  report_.first_bad_column = within ? static_cast<std::size_t>(at.data() - line_.data()) + 1 : 1;
  report_.first_bad_reason = reason;
}

}  // namespace nslookout::lists
