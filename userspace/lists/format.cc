#include "lists/format.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/dns_name.h"
#include "lists/adblock.h"
#include "lists/lines.h"
#include "lists/name_reader.h"

namespace nslookout::lists {
namespace {

constexpr std::size_t lines_looked_at = 1000;

constexpr std::array<std::pair<std::string_view, Format>, 7> names = {{{"plain", Format::plain},
                                                                       {"hosts", Format::hosts},
                                                                       {"rpz", Format::rpz},
                                                                       {"adblock", Format::adblock},
                                                                       {"dnsmasq", Format::dnsmasq},
                                                                       {"csv", Format::csv},
                                                                       {"wildcard", Format::plain}}};

// Of formats with as many lines the first wins: lone names are fine in ad blockers' lists, and commas may mean nothing.
constexpr std::array<Format, 6> preferred = {Format::adblock, Format::dnsmasq, Format::rpz,
                                             Format::hosts,   Format::plain,   Format::csv};

bool is_dnsmasq_setting(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  return trim(line.substr(0, equals)).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
         std::string_view::npos;
}

bool is_zone_directive(std::string_view line) {
  static constexpr std::array<std::string_view, 4> directives = {"$TTL", "$ORIGIN", "$INCLUDE", "$GENERATE"};
  return std::ranges::any_of(directives, [&](std::string_view directive) { return line.starts_with(directive); });
}

// OWNER [TTL] [CLASS] TYPE …, where the owner may be missing: one of the first four words is a type that every such zone
// has. Other types are words too often.
bool is_zone_record(std::string_view line) {
  static constexpr std::array<std::string_view, 3> types = {"cname", "soa", "ns"};
  if (is_zone_directive(line)) return true;
  for (int i = 0; i < 4; ++i) {
    const std::string word = ascii_lower(next_word(line));
    if (std::ranges::find(types, word) != types.end()) return !trim(line).empty();
  }
  return false;
}

std::optional<Format> format_of_line(std::string_view whole) {
  const std::string_view line = trim(whole);
  if (line.starts_with("||") || line.starts_with("@@") || is_cosmetic(line)) return Format::adblock;
  if (is_dnsmasq_setting(line)) return Format::dnsmasq;
  std::string_view rest = before_any(line, "#;");
  const std::string_view first = next_word(rest);
  const std::string_view second = next_word(rest);
  if (!second.empty() && is_address(first)) return Format::hosts;
  if (is_zone_record(line)) return Format::rpz;
  if (line.starts_with('"') || before_any(line, "#;").find(',') != std::string_view::npos) return Format::csv;
  if (!first.empty() && second.empty()) return Format::plain;
  return std::nullopt;
}

}  // namespace

std::optional<Format> format_from_name(std::string_view name) {
  const auto* const found = std::ranges::find(names, name, &std::pair<std::string_view, Format>::first);
  if (found == names.end()) return std::nullopt;
  return found->second;
}

std::string_view format_name(Format format) {
  return std::ranges::find(names, format, &std::pair<std::string_view, Format>::second)->first;
}

Format detect_format(std::string_view text) {
  std::array<std::size_t, names.size()> votes{};
  for (std::size_t looked_at = 0; !text.empty() && looked_at < lines_looked_at;) {
    const std::string_view line = next_line(text);
    if (trim(line).starts_with("[Adblock")) return Format::adblock;
    const std::size_t start = line.find_first_not_of(blanks);
    if (start == std::string_view::npos || line[start] == '#' || line[start] == ';' || line[start] == '!') continue;
    ++looked_at;
    if (const auto format = format_of_line(line)) ++votes[static_cast<std::size_t>(*format)];
  }
  const auto votes_for = [&](Format format) -> std::size_t& { return votes[static_cast<std::size_t>(format)]; };
  if (votes_for(Format::hosts) > 0) votes_for(Format::hosts) += std::exchange(votes_for(Format::plain), 0);
  const Format most = std::ranges::max(preferred, {}, votes_for);
  return votes_for(most) == 0 ? Format::plain : most;
}

}  // namespace nslookout::lists
