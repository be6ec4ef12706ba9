#include "lists/hosts.h"

#include <algorithm>
#include <array>

#include "base/dns_name.h"
#include "lists/lines.h"
#include "lists/name_reader.h"

namespace nslookout::lists {
namespace {

bool is_own_machine(std::string_view name) {
  static constexpr std::array<std::string_view, 15> names = {"localhost",
                                                             "localhost4",
                                                             "localhost6",
                                                             "local",
                                                             "broadcasthost",
                                                             "0.0.0.0",
                                                             "ip6-localhost",
                                                             "ip6-loopback",
                                                             "ip6-localnet",
                                                             "ip6-mcastprefix",
                                                             "ip6-allnodes",
                                                             "ip6-allrouters",
                                                             "ip6-allhosts",
                                                             "localhost.localdomain",
                                                             "localhost4.localdomain4"};
  // Cheap to rule out for the names that hosts files are used to block.
  const bool possible = name.find('.') == std::string_view::npos || name[0] == '0' || name[0] == 'l' || name[0] == 'L';
  return possible && std::ranges::find(names, ascii_lower(name)) != names.end();
}

}  // namespace

Report parse_hosts(std::string_view text, Scope scope, NameTable& table) {
  Collector collector(scope, table);
  std::string_view known_address;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    collector.begin_line(line);
    std::string_view rest = before_any(line, "#;");
    const std::string_view first = next_word(rest);
    if (first.empty()) continue;
    std::string_view word = next_word(rest);
    if (word.empty()) {
      collector.list(first);
      continue;
    }
    // Nearly always that of the line before.
    if (first != known_address && !is_address(first)) {
      collector.bad(first, "not an address, and more than one word");
      continue;
    }
    known_address = first;
    for (; !word.empty(); word = next_word(rest)) {
      if (!is_own_machine(word)) collector.list(word);
    }
  }
  return collector.take();
}

}  // namespace nslookout::lists
