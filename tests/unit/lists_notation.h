// How the tests write what a table holds: "=x" listed itself, "<x" listed below, "+x" allowed itself, "^x" allowed below,
// in this order and together ("=<x"); sorted.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/dns_name.h"
#include "lists/collector.h"
#include "lists/name_table.h"

namespace nslookout::lists {

using Names = std::vector<std::string>;

inline Names shown(const NameTable& table) {
  Names out;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const NameEntry entry = table.entry(i);
    out.push_back(std::string(entry.exact ? "=" : "") + (entry.below ? "<" : "") + (entry.allow_exact ? "+" : "") +
                  (entry.allow_below ? "^" : "") + wire_to_presentation(entry.wire));
  }
  std::ranges::sort(out);
  return out;
}

// "line:column: reason" of the first bad line; empty if there is none.
inline std::string bad_text(const Report& report) {
  if (report.bad_lines == 0) return "";
  return std::to_string(report.first_bad_line) + ":" + std::to_string(report.first_bad_column) + ": " +
         report.first_bad_reason;
}

}  // namespace nslookout::lists
