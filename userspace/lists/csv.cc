#include "lists/csv.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include <fmt/ranges.h>

#include "base/dns_name.h"
#include "lists/lines.h"
#include "lists/name_reader.h"

namespace nslookout::lists {
namespace {

// A quote that is never closed must not swallow the rest of the file unseen.
constexpr std::size_t max_row_octets = std::size_t{64} << 10;

constexpr std::array<std::string_view, 14> usual_titles = {
    "domain", "domain_name", "domainname", "hostname", "host",      "fqdn",        "dns",
    "name",   "query",       "indicator",  "ioc",      "ioc_value", "dest_domain", "value"};

constexpr std::size_t longest_title = 40;  // a longer text in a comment is prose with commas

using Cells = std::vector<std::string_view>;

struct Row {
  std::string_view text;  // without its end of line
  std::size_t lines = 1;
  bool quote_open = false;
};

// Takes the next row off the text; a line end between quotes is part of it.
Row next_row(std::string_view& text) {
  bool quoted = false;
  Row row;
  const std::size_t end = std::min(text.size(), max_row_octets);
  for (std::size_t i = 0; i < end; ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] != '\n') continue;
    if (!quoted) break;
    ++row.lines;
  }
  if (row.lines == 1 && !quoted) {
    row.text = next_line(text);
    return row;
  }
  std::string_view rest = text;
  for (std::size_t i = 0; i < row.lines; ++i) {
    const std::string_view line = next_line(rest);
    row.text = text.substr(0, static_cast<std::size_t>(line.data() - text.data()) + line.size());
  }
  if (std::ranges::count(row.text, '"') % 2 != 0) {
    row = Row{next_line(text), 1, true};
  } else {
    text = rest;
  }
  return row;
}

// Cells keep doubled quotes as they are: no name has any.
void split(std::string_view row, char separator, Cells& cells) {
  cells.clear();
  for (;;) {
    std::size_t end = 0;
    for (bool quoted = false; end < row.size() && (quoted || row[end] != separator); ++end) {
      if (row[end] == '"') quoted = !quoted;
    }
    std::string_view cell = trim(row.substr(0, end));
    if (cell.size() >= 2 && cell.starts_with('"') && cell.ends_with('"')) cell = trim(cell.substr(1, cell.size() - 2));
    cells.push_back(cell);
    if (end == row.size()) return;
    row.remove_prefix(end + 1);
  }
}

char separator_of(std::string_view row) {
  return std::ranges::max({',', ';', '\t'}, {}, [&](char c) { return std::ranges::count(row, c); });
}

bool is_dotted_name(std::string_view cell) {
  NameReader reader;
  return cell.find('.') != std::string_view::npos && !may_be_address(cell) && reader.read(cell).has_value();
}

std::optional<std::size_t> number_of(std::string_view column) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(column.data(), column.data() + column.size(), number);
  if (error != std::errc{} || end != column.data() + column.size() || number == 0) return std::nullopt;
  return number - 1;
}

std::optional<std::size_t> titled(const Cells& cells, std::string_view column) {
  const auto has_title = [&](std::string_view cell) {
    const std::string lower = ascii_lower(cell);
    if (!column.empty()) return lower == ascii_lower(column);
    return std::ranges::find(usual_titles, lower) != usual_titles.end();
  };
  const auto found = std::ranges::find_if(cells, has_title);
  if (found == cells.end()) return std::nullopt;
  return static_cast<std::size_t>(found - cells.begin());
}

class CsvReader {
 public:
  CsvReader(Scope scope, std::string_view column, NameTable& table)
      : collector_(scope, table), column_(column), index_(number_of(column)) {}

  Result<Report> read(std::string_view text) {
    while (!text.empty()) {
      const Row row = next_row(text);
      collector_.begin_line(row.text, row.lines);
      const std::string_view content = trim(row.text);
      if (row.quote_open) {
        collector_.bad(row.text, "a quote is not closed");
      } else if (content.starts_with('#')) {
        header_in_comment(content.substr(1));
      } else if (!content.empty()) {
        if (separator_ == '\0') {
          const Result<bool> is_header = first_row(row.text);
          if (!is_header) return fail(is_header.error());
          if (*is_header) continue;
        }
        value(row.text);
      }
    }
    Report report = collector_.take();
    report.column = std::move(taken_);
    return report;
  }

 private:
  void header_in_comment(std::string_view comment) {
    if (separator_ != '\0' || index_) return;
    split(comment, separator_of(comment), cells_);
    if (cells_.size() < 2) return;
    index_ = titled(cells_, column_);
    titled_by_comment_ = index_.has_value();
    if (index_) note_taken(cells_[*index_]);
    const auto may_be_title = [](std::string_view cell) { return !cell.empty() && cell.size() <= longest_title; };
    if (std::ranges::all_of(cells_, may_be_title)) titles_ = cells_;
  }

  void note_taken(std::string_view title) {
    if (!column_.empty()) return;
    taken_ = title.empty() ? fmt::format("{}", *index_ + 1) : fmt::format("'{}' ({})", title, *index_ + 1);
  }

  // Finds the separator and the column; true if the row is the header.
  Result<bool> first_row(std::string_view row) {
    separator_ = separator_of(row);
    split(row, separator_, cells_);
    if (!index_) {
      index_ = titled(cells_, column_);
      if (index_) {
        note_taken(cells_[*index_]);
        return true;
      }
    }
    // Titles that say something else are worth more than the look of one row: a family of malware may be written with a dot.
    const bool has_titles = titles_.size() == cells_.size();
    if (!index_ && column_.empty() && !has_titles) {
      const auto found = std::ranges::find_if(cells_, is_dotted_name);
      if (found != cells_.end()) {
        index_ = static_cast<std::size_t>(found - cells_.begin());
        note_taken({});
      }
    }
    if (!index_) {
      return fail(ErrorClass::invalid, "{}; its {} {}; choose one with column=NAME or column=NUMBER",
                  column_.empty() ? "no column of the list is plainly one of names"
                                  : fmt::format("the list has no column '{}'", column_),
                  has_titles ? "titles are:" : "first row has:", fmt::join(has_titles ? titles_ : cells_, ", "));
    }
    if (titled_by_comment_) return titled(cells_, column_) == index_;
    return *index_ < cells_.size() && !is_dotted_name(cells_[*index_]) && !may_be_address(cells_[*index_]);
  }

  void value(std::string_view row) {
    split(row, separator_, cells_);
    if (*index_ >= cells_.size()) return collector_.bad(row, fmt::format("no column {}", *index_ + 1));
    const std::string_view cell = cells_[*index_];
    if (cell.empty()) return collector_.bad(cell, "the column is empty");
    collector_.list(cell);
  }

  Collector collector_;
  std::string_view column_;
  std::optional<std::size_t> index_;
  char separator_ = '\0';  // until the first row
  Cells titles_;           // of the last comment that may be a header
  std::string taken_;
  bool titled_by_comment_ = false;
  Cells cells_;
};

}  // namespace

Result<Report> parse_csv(std::string_view text, Scope scope, std::string_view column, NameTable& table) {
  return CsvReader(scope, column, table).read(text);
}

}  // namespace nslookout::lists
