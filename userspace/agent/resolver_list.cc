#include "agent/resolver_list.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

namespace nslookout::agent {

Result<std::vector<IpAddress>> parse_resolver_list(std::string_view text, const std::string& file) {
  constexpr std::string_view blanks = " \t\r";
  std::vector<IpAddress> addresses;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    const std::string_view entry = line.substr(0, line.find('#'));
    const std::size_t first = entry.find_first_not_of(blanks);
    if (first == std::string_view::npos) continue;
    const std::string_view word = entry.substr(first, entry.find_last_not_of(blanks) + 1 - first);
    const auto address = parse_ip_address(word);
    if (!address) {
      return fail(ErrorClass::invalid, "{}:{}:{}: '{}' is no address: write one IPv4 or IPv6 address a line", file,
                  number + 1, first + 1, word);
    }
    if (std::ranges::find(addresses, *address) != addresses.end()) continue;
    if (addresses.size() == max_resolvers) {
      return fail(ErrorClass::invalid, "{}:{}:{}: more than {} resolvers: leave some out", file, number + 1, first + 1,
                  max_resolvers);
    }
    addresses.push_back(*address);
  }
  return addresses;
}

Result<std::vector<IpAddress>> read_resolver_list(const std::string& file) {
  if (file.empty()) return parse_resolver_list(default_resolver_list, "the list of resolvers that is built in");
  std::ifstream in(file);
  if (!in) return fail(ErrorClass::invalid, "{}: cannot be opened: {}", file, errno_text(errno));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return fail(ErrorClass::invalid, "{}: cannot be read", file);
  return parse_resolver_list(text, file);
}

}  // namespace nslookout::agent
