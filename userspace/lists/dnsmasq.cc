#include "lists/dnsmasq.h"

#include <algorithm>

#include "lists/lines.h"

namespace nslookout::lists {
namespace {

// dnsmasq takes "/.x/" for "/x/", where elsewhere ".x" leaves x out.
std::string_view without_dot(std::string_view name) {
  if (name.size() > 1 && name.starts_with('.')) name.remove_prefix(1);
  return name;
}

void read_setting(std::string_view line, Collector& collector) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return collector.bad(line, "no KEY=/NAME/ as dnsmasq has it");
  const std::string_view key = trim(line.substr(0, equals));
  const std::string_view value = trim(line.substr(equals + 1));
  const bool address = key == "address";
  if (!address && key != "server" && key != "local") return collector.other();
  if (!value.starts_with('/')) {
    if (!address) return collector.other();
    return collector.bad(value.empty() ? line : value, "no /NAME/ after address=");
  }
  const std::size_t last = value.rfind('/');
  if (last == 0) return collector.bad(value, "the / that ends the name is missing");
  const std::string_view target = value.substr(last + 1);
  const bool allowed = !address && target == "#";
  if (!address && !allowed && !target.empty()) return collector.other();
  for (std::string_view names = value.substr(1, last - 1);;) {
    const std::size_t slash = std::min(names.find('/'), names.size());
    const std::string_view name = without_dot(names.substr(0, slash));
    if (allowed) {
      collector.allow(name);
    } else {
      collector.list(name);
    }
    if (slash == names.size()) return;
    names.remove_prefix(slash + 1);
  }
}

// A comment starts at a # that starts a word: "/x/#" is a setting.
std::string_view without_comment(std::string_view line) {
  for (std::size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
    if (at == 0 || blanks.find(line[at - 1]) != std::string_view::npos) return line.substr(0, at);
  }
  return line;
}

}  // namespace

Report parse_dnsmasq(std::string_view text, Scope scope, NameTable& table) {
  Collector collector(scope, table);
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    collector.begin_line(line);
    const std::string_view setting = trim(without_comment(line));
    if (!setting.empty()) read_setting(setting, collector);
  }
  return collector.take();
}

}  // namespace nslookout::lists
