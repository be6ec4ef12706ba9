#include "lists/plain.h"

#include "lists/lines.h"

namespace nslookout::lists {

Report parse_plain(std::string_view text, Scope scope, NameTable& table) {
  Collector collector(scope, table);
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    collector.begin_line(line);
    if (collector.list_usual(line)) continue;
    std::string_view rest = before_any(line, "#;");
    const std::string_view name = next_word(rest);
    if (name.empty()) continue;
    if (const std::string_view second = next_word(rest); !second.empty()) {
      collector.bad(second, "more than one word");
    } else {
      collector.list(name);
    }
  }
  return collector.take();
}

}  // namespace nslookout::lists
