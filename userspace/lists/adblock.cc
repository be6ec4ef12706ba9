#include "lists/adblock.h"

#include <algorithm>
#include <array>

#include "lists/lines.h"

namespace nslookout::lists {
namespace {

bool is_comment(std::string_view line) {
  if (line.starts_with('!') || line.starts_with('[')) return true;
  return line.starts_with('#') && (line.size() == 1 || blanks.find(line[1]) != std::string_view::npos);
}

// Whether options leave the rule about every request to the name.
bool options_keep_all(std::string_view options) {
  static constexpr std::array<std::string_view, 4> harmless = {"important", "all", "document", "doc"};
  while (!options.empty()) {
    const std::size_t comma = std::min(options.find(','), options.size());
    if (std::ranges::find(harmless, trim(options.substr(0, comma))) == harmless.end()) return false;
    options.remove_prefix(std::min(comma + 1, options.size()));
  }
  return true;
}

void read_rule(std::string_view line, Collector& collector) {
  std::string_view rule = line;
  const bool allowed = rule.starts_with("@@");
  if (allowed) rule.remove_prefix(2);
  const std::size_t dollar = rule.find('$');
  if (dollar != std::string_view::npos) {
    if (!options_keep_all(rule.substr(dollar + 1))) return collector.other();
    rule = rule.substr(0, dollar);
  }
  const bool anchored = rule.starts_with("||");
  if (anchored) rule.remove_prefix(2);
  if (rule.ends_with("^|")) rule.remove_suffix(1);
  const bool closed = rule.ends_with('^');
  if (closed) rule.remove_suffix(1);
  // "||x" goes for every name that starts like x, "x^" for every name that ends like it.
  const bool pattern = anchored != closed || rule.find_first_of("/|^:=?&~") != std::string_view::npos;
  const bool wildcard = rule.find('*', rule.starts_with("*.") ? 1 : 0) != std::string_view::npos;
  if (pattern || wildcard) return collector.other();
  if (allowed) {
    collector.allow(rule);
  } else {
    collector.list(rule);
  }
}

}  // namespace

bool is_cosmetic(std::string_view line) {
  static constexpr std::array<std::string_view, 6> marks = {"##", "#@#", "#?#", "#$#", "#%#", "$$"};
  // After a blank it is the comment of another format.
  const auto has = [&](std::string_view mark) {
    const std::size_t at = line.find(mark);
    return at == 0 || (at != std::string_view::npos && blanks.find(line[at - 1]) == std::string_view::npos);
  };
  return !is_comment(line) && std::ranges::any_of(marks, has);
}

Report parse_adblock(std::string_view text, Scope scope, NameTable& table) {
  Collector collector(scope, table);
  while (!text.empty()) {
    const std::string_view whole = next_line(text);
    collector.begin_line(whole);
    const std::string_view line = trim(whole);
    if (line.empty() || is_comment(line)) continue;
    if (line.find_first_of("#$") != std::string_view::npos && is_cosmetic(line)) {
      collector.other();
    } else {
      read_rule(line, collector);
    }
  }
  return collector.take();
}

}  // namespace nslookout::lists
