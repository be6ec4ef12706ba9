#include "lists/plain.h"

#include <algorithm>
#include <array>
#include <optional>

#include <arpa/inet.h>

#include "base/dns_name.h"
#include "base/idna.h"
#include "base/result.h"

namespace nslookout::lists {
namespace {

constexpr std::string_view blanks = " \t\r\v\f";

// For each octet: its lower-case form when it is usual in a host or service name, 0 otherwise.
constexpr std::array<char, 256> usual_octets = [] {
  std::array<char, 256> table{};
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = c;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = static_cast<char>(c - 'A' + 'a');
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = c;
  table['-'] = '-';
  table['_'] = '_';
  return table;
}();

// Wire form in a buffer of the caller, without the allocations of presentation_to_wire: a million lines come this way.
// Nothing for a name with escapes or octets outside ASCII, or one that is wrong.
std::optional<std::string_view> usual_name(std::string_view text, std::array<char, max_name_octets + 1>& wire) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() + 2 > max_name_octets) return std::nullopt;
  std::size_t label = 0;
  std::size_t at = 1;
  for (const char octet : text) {
    if (octet == '.') {
      const std::size_t length = at - label - 1;
      if (length == 0 || length > max_label_octets) return std::nullopt;
      wire[label] = static_cast<char>(length);
      label = at++;
      continue;
    }
    const char lower = usual_octets[static_cast<unsigned char>(octet)];
    if (lower == 0) return std::nullopt;
    wire[at++] = lower;
  }
  const std::size_t length = at - label - 1;
  if (length == 0 || length > max_label_octets) return std::nullopt;
  wire[label] = static_cast<char>(length);
  wire[at++] = '\0';
  return std::string_view(wire.data(), at);
}

Result<std::string> unusual_name(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet == '\\') {
      ++i;
    } else if (octet < 0x80 && octet != '.' && usual_octets[octet] == 0) {
      return fail(ErrorClass::invalid, "the character '{}' cannot stand in a name unescaped", text[i]);
    }
  }
  const Result<std::string> ascii = labels_to_ascii(text);
  if (!ascii) return fail(ascii.error());
  const Result<std::string> wire = presentation_to_wire(*ascii);
  if (!wire) return fail(wire.error());
  if (wire->size() == 1) return fail(ErrorClass::invalid, "the root cannot be listed");
  return ascii_lower(*wire);
}

bool is_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN + 32> buffer{};
  text = text.substr(0, text.find('%'));  // fe80::1%lo0
  if (text.size() >= buffer.size()) return false;
  std::ranges::copy(text, buffer.begin());
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET, buffer.data(), address.data()) == 1 ||
         inet_pton(AF_INET6, buffer.data(), address.data()) == 1;
}

// IPv4 addresses look like names; no top-level domain is a number, so this is cheap to rule out.
bool may_be_address(std::string_view text) {
  return !text.empty() && text.back() >= '0' && text.back() <= '9' && is_address(text);
}

bool is_own_machine(std::string_view name) {
  static constexpr std::array<std::string_view, 12> names = {
      "localhost", "localhost.localdomain", "localhost4",   "localhost6",   "local",        "broadcasthost",
      "0.0.0.0",   "ip6-localhost",         "ip6-loopback", "ip6-localnet", "ip6-allnodes", "ip6-allrouters"};
  const std::string lower = ascii_lower(name);
  return std::ranges::find(names, lower) != names.end() || lower == "ip6-mcastprefix" || lower == "ip6-allhosts";
}

class PlainParser {
 public:
  PlainParser(Scope scope, NameTable& table) : scope_(scope), table_(table) {}

  void line(std::string_view text) {
    ++number_;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (whole_line(text)) return;
    text = text.substr(0, std::min(text.find_first_of("#;"), text.size()));
    const std::string_view first = next_word(text);
    if (first.empty()) return;
    const std::string_view second = next_word(text);
    if (second.empty()) {
      name(first);
      return;
    }
    if (!is_address(first)) {
      bad("more than one word, and the first is no address");
      return;
    }
    for (std::string_view word = second; !word.empty(); word = next_word(text)) {
      if (!is_own_machine(word)) name(word);
    }
  }

  PlainReport take() { return std::move(report_); }

 private:
  // A line that is one usual name and nothing else, as nearly all lines of a large list are.
  bool whole_line(std::string_view text) {
    const auto wire = usual_name(text, buffer_);
    if (!wire || may_be_address(text)) return false;
    add(*wire, false);
    return true;
  }

  static std::string_view next_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    const std::size_t end = std::min(text.find_first_of(blanks), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
  }

  void name(std::string_view text) {
    const std::string_view whole = text;
    if (text.starts_with("*.")) text.remove_prefix(1);
    const bool only_below = text.starts_with('.') && text.size() > 1;
    if (only_below) text.remove_prefix(1);
    if (may_be_address(whole)) {
      bad("an address, not a name");
      return;
    }
    if (const auto wire = usual_name(text, buffer_)) {
      add(*wire, only_below);
    } else if (const Result<std::string> unusual = unusual_name(text); unusual) {
      add(*unusual, only_below);
    } else {
      bad(unusual.error().message);
    }
  }

  void add(std::string_view wire, bool only_below) {
    const bool exact = !only_below;
    const bool below = only_below || scope_ == Scope::suffix;
    if (table_.add(wire, exact, below) == NameTable::Added::full) bad("the list is larger than 1 GiB of names");
  }

  void bad(std::string_view reason) {
    if (bad_line_ == number_) return;  // one line is bad once
    bad_line_ = number_;
    if (report_.bad_lines++ > 0) return;
    report_.first_bad_line = number_;
    report_.first_bad_reason = reason;
  }

  Scope scope_;
  NameTable& table_;
  PlainReport report_;
  std::size_t number_ = 0;
  std::size_t bad_line_ = 0;
  std::array<char, max_name_octets + 1> buffer_{};
};

}  // namespace

PlainReport parse_plain(std::string_view text, Scope scope, NameTable& table) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  table.reserve(static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1, text.size());
  PlainParser parser(scope, table);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    parser.line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.take();
}

}  // namespace nslookout::lists
