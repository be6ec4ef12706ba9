// What the passes of this folder have to say about a rule file: refusals and warnings, each with its place.
//
// A pass that finds something wrong adds an error and goes on where it can, so that one run shows everything; it
// returns an empty optional (or false) when its result cannot be used. Only load.h turns findings into a Result.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace nslookout::sigma {

// Counted from 1; 0 where a whole file is meant. Columns count code points.
struct Place {
  int line = 0;
  int column = 0;
};

// The columns that a text of UTF-8 takes.
[[nodiscard]] inline int columns_of(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), begins_code_point));
}

enum class FindingKind {
  broken,         // not YAML, or not a Sigma rule
  not_evaluated,  // a valid construct of Sigma that nslookout does not evaluate; the rule is refused
  other_source,   // a rule about another log source than DNS lookups on Linux
  warning,        // the rule is loaded; its author should look
};

struct Finding {
  FindingKind kind = FindingKind::broken;
  std::string file;
  std::size_t document = 0;  // within the file, from 1; 0: the whole file
  Place place;
  std::string what;  // one sentence: what, and what to do

  // "file:line:column: what", without the zero parts of the place.
  [[nodiscard]] std::string text() const;
};

class Findings {
 public:
  explicit Findings(std::string file) : file_(std::move(file)) {}

  template <typename... Args>
  void add(FindingKind kind, Place place, fmt::format_string<Args...> format, Args&&... args) {
    if (kind != FindingKind::warning) ++errors_;
    all_.push_back({kind, file_, document_, place, fmt::format(format, std::forward<Args>(args)...)});
  }
  template <typename... Args>
  void broken(Place place, fmt::format_string<Args...> format, Args&&... args) {
    add(FindingKind::broken, place, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void not_evaluated(Place place, fmt::format_string<Args...> format, Args&&... args) {
    add(FindingKind::not_evaluated, place, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void warning(Place place, fmt::format_string<Args...> format, Args&&... args) {
    add(FindingKind::warning, place, format, std::forward<Args>(args)...);
  }

  // What is added from here on is about this document.
  void at_document(std::size_t document) { document_ = document; }
  void take(const Findings& other) {
    errors_ += other.errors_;
    all_.insert(all_.end(), other.all_.begin(), other.all_.end());
  }

  [[nodiscard]] std::size_t error_count() const { return errors_; }
  [[nodiscard]] const std::vector<Finding>& all() const { return all_; }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::size_t document_ = 0;
  std::vector<Finding> all_;
  std::size_t errors_ = 0;
};

}  // namespace nslookout::sigma
