#include "base/search_suffix.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/dns_name.h"
#include "base/idna.h"
#include "base/public_suffix.h"

namespace nslookout {
namespace {

std::string_view without_first_label(std::string_view wire) {
  return wire.substr(1 + static_cast<unsigned char>(wire[0]));
}

// The octets of wire before the suffix, as a name of their own.
NameReading reading_at(std::string_view wire, std::size_t at, bool any_label) {
  return {std::string(wire.substr(0, at)) + '\0', std::string(wire.substr(at)), any_label};
}

bool seems_whole(const NameReading& reading) { return ends_in_top_level_domain(wire_to_presentation(reading.wire)); }

}  // namespace

Result<SearchSuffix> parse_search_suffix(std::string_view text) {
  SearchSuffix suffix;
  std::string_view name = text;
  if (name.starts_with("*.")) {
    suffix.any_label = true;
    name.remove_prefix(2);
  } else if (name.size() > 1 && name.starts_with('.')) {
    name.remove_prefix(1);
  }
  const Result<std::string> ascii = labels_to_ascii(name);
  const Result<std::string> wire = ascii ? presentation_to_wire(*ascii) : ascii;
  if (!wire) return fail(ErrorClass::invalid, "the search suffix '{}' is no name: {}", text, wire.error().message);
  suffix.wire = ascii_lower(*wire);
  const std::size_t labels = label_count(suffix.wire) + (suffix.any_label ? 1 : 0);
  if (suffix.wire.size() == 1) return fail(ErrorClass::invalid, "the search suffix '{}' has no label", text);
  if (labels > max_search_suffix_labels) {
    return fail(ErrorClass::invalid, "the search suffix '{}' has {} labels, and {} is the most; give its last {}", text,
                labels, max_search_suffix_labels, max_search_suffix_labels);
  }
  if (name.find('*') != std::string_view::npos) {
    return fail(ErrorClass::invalid, "the search suffix '{}' has a '*' that is not its first label", text);
  }
  return suffix;
}

std::string search_suffix_text(const SearchSuffix& suffix) {
  return (suffix.any_label ? "*." : "") + wire_to_presentation(suffix.wire);
}

std::vector<SearchSuffix> search_suffixes_of(std::string_view resolv_conf) {
  std::vector<SearchSuffix> suffixes;
  std::istringstream lines{std::string(resolv_conf)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string keyword;
    words >> keyword;
    if (keyword != "search" && keyword != "domain") continue;
    suffixes.clear();
    for (std::string word; words >> word;) {
      Result<SearchSuffix> suffix = parse_search_suffix(word);
      if (suffix && !suffix->any_label) suffixes.push_back(std::move(*suffix));
    }
  }
  return suffixes;
}

std::vector<NameReading> readings_of(std::string_view wire, std::span<const SearchSuffix> suffixes) {
  std::vector<NameReading> readings;
  if (suffixes.empty() || wire.empty()) return readings;
  std::size_t before = 0;  // where the label before rest begins
  for (std::string_view rest = wire; rest[0] != '\0';) {
    const std::size_t at = wire.size() - rest.size();
    for (const SearchSuffix& suffix : suffixes) {
      if (suffix.wire != rest) continue;
      const std::size_t cut = suffix.any_label ? before : at;
      if (cut == 0) continue;  // nothing would be left
      const auto known =
          std::ranges::find(readings, wire.size() - cut, [](const NameReading& r) { return r.suffix.size(); });
      if (known == readings.end()) {
        readings.push_back(reading_at(wire, cut, suffix.any_label));
      } else {
        known->any_label = known->any_label && suffix.any_label;
      }
    }
    before = at;
    rest = without_first_label(rest);
  }
  std::ranges::stable_sort(readings, [](const NameReading& a, const NameReading& b) {
    const bool a_whole = seems_whole(a);
    const bool b_whole = seems_whole(b);
    return a_whole != b_whole ? a_whole : a.wire.size() < b.wire.size();
  });
  return readings;
}

}  // namespace nslookout
