// What every format's reader writes to: names into a table, and what could not be used into a report.
//
// A name may have any case, a trailing dot, the escapes of presentation form and labels outside ASCII (which become
// A-labels). "*.x" and ".x" mean the names below x and not x itself, in lists of either scope.
// A listed name stands for what the list's scope says. An allowed name is an exception for itself and all below it,
// whatever the scope: an exception that is too narrow would leave hits its author meant to be rid of.
//
// Lines are counted from 1, columns in octets from 1. A line is bad at most once.
// Thread rule: one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lists/name_reader.h"
#include "lists/name_table.h"

namespace nslookout::lists {

// What a name without "*." stands for.
enum class Scope {
  exact,   // itself
  suffix,  // itself and every name below it
};

struct Report {
  std::size_t bad_lines = 0;
  std::size_t first_bad_line = 0;
  std::size_t first_bad_column = 0;
  std::string first_bad_reason;
  std::size_t other_lines = 0;     // right in their format, but about something else than lookups of whole names
  std::size_t names_too_many = 0;  // beyond NameTable::max_octets
  std::string column = {};         // of a table: which one was taken, where none was asked for
};

class Collector {
 public:
  Collector(Scope scope, NameTable& table) : scope_(scope), table_(table) {}

  // line: where columns are counted from. lines: how many the line spans.
  void begin_line(std::string_view line, std::size_t lines = 1);

  void list(std::string_view name) { enter(name, false); }
  void allow(std::string_view name) { enter(name, true); }

  // The quick way for nearly all lines of a large list: true, and listed, if text is one name of usual characters with
  // nothing around it. False if it has to be looked at closer.
  bool list_usual(std::string_view text);

  // at: the part of the line that is wrong.
  void bad(std::string_view at, std::string_view reason);
  void other() { ++report_.other_lines; }

  [[nodiscard]] Report take() { return std::move(report_); }

 private:
  void enter(std::string_view text, bool allowed);
  void add(std::string_view wire, bool allowed, bool only_below);

  Scope scope_;
  NameTable& table_;
  NameReader reader_;
  Report report_;
  std::string_view line_;
  std::size_t number_ = 0;  // of the line's first line
  std::size_t next_number_ = 1;
  bool line_is_bad_ = false;
};

}  // namespace nslookout::lists
