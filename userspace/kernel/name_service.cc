#include "kernel/name_service.h"

#include <strings.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "kernel/trim.h"

namespace nslookout::kernel {
namespace {

std::string_view without_comment(std::string_view line) { return line.substr(0, line.find('#')); }

std::vector<std::string> lines_of(const std::optional<std::string>& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text.value_or(""));
  for (std::string line; std::getline(stream, line);) lines.emplace_back(without_comment(line));
  return lines;
}

bool same(std::string_view left, std::string_view right) {
  return left.size() == right.size() && ::strncasecmp(left.data(), right.data(), left.size()) == 0;
}

// The sources of what stands behind "hosts:".
std::vector<HostsSource> parse_sources(std::string_view text) {
  std::vector<HostsSource> sources;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) sources.push_back({word, ""});
    word.clear();
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '[') {
      end_word();
      const std::size_t close = std::min(text.find(']', at), text.size());
      if (!sources.empty()) sources.back().actions += std::string(text.substr(at + 1, close - at - 1)) + ' ';
      at = close;
    } else if (text[at] == ' ' || text[at] == '\t') {
      end_word();
    } else {
      word.push_back(text[at]);
    }
  }
  end_word();
  return sources;
}

}  // namespace

std::vector<HostsSource> hosts_sources(const Host& host) {
  std::vector<HostsSource> sources;
  for (const auto& line : lines_of(host.read_file("/etc/nsswitch.conf"))) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || trimmed(std::string_view(line).substr(0, colon)) != "hosts") continue;
    sources = parse_sources(std::string_view(line).substr(colon + 1));
  }
  return sources;
}

// STATUS=ACTION, or !STATUS=ACTION for every other status. Without an action a lookup goes on after both statuses.
bool ends_with(const HostsSource& source, std::string_view status) {
  bool ends = false;
  std::istringstream actions(source.actions);
  for (std::string action; actions >> action;) {
    const std::size_t equals = action.find('=');
    if (equals == std::string::npos) continue;
    const bool others = action.front() == '!';
    const auto about = std::string_view(action).substr(others ? 1 : 0, equals - (others ? 1 : 0));
    if (same(about, status) != others) ends = same(std::string_view(action).substr(equals + 1), "return");
  }
  return ends;
}

bool dns_stands_in_for_resolve(const Host& host) {
  const auto sources = hosts_sources(host);
  auto at = std::ranges::find(sources, "resolve", &HostsSource::name);
  if (at == sources.end() || ends_with(*at, "UNAVAIL")) return false;
  for (++at; at != sources.end(); ++at) {
    if (at->name == "dns") return true;
    if (ends_with(*at, "NOTFOUND")) return false;
  }
  return false;
}

bool nscd_skips_hosts(const Host& host) {
  bool skips = false;
  for (const auto& line : lines_of(host.read_file("/etc/nscd.conf"))) {
    std::istringstream words(line);
    std::string key;
    std::string service;
    std::string value;
    if (words >> key >> service >> value && key == "enable-cache" && service == "hosts") skips = value == "no";
  }
  return skips;
}

}  // namespace nslookout::kernel
