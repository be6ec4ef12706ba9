// Search suffixes: what a resolver appends to a name before it asks (resolv.conf(5), `search` and `ndots`). With them
// "sfrclak.com.default.svc.cluster.local" is a lookup of "sfrclak.com".
//
// A suffix may begin with "*.", which stands for one label of any kind: "*.svc.cluster.local" is the suffix of every
// namespace of a Kubernetes cluster. Wire form and lower case as in dns_name.h. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nslookout {

struct SearchSuffix {
  std::string wire;        // without the label of any kind
  bool any_label = false;  // one label more belongs to it

  bool operator==(const SearchSuffix&) const = default;
};

// The kernel's walk ends at eight labels, one of which has to be the name's.
inline constexpr std::size_t max_search_suffix_labels = 7;

// One of a configuration: presentation form, dots at either end allowed, labels outside ASCII as A-labels. Error: invalid,
// what is wrong with it.
[[nodiscard]] Result<SearchSuffix> parse_search_suffix(std::string_view text);

// "*.svc.cluster.local"
[[nodiscard]] std::string search_suffix_text(const SearchSuffix& suffix);

// The search list of a resolv.conf: its last `search` or `domain` line. What is no name is left out, as resolvers do.
[[nodiscard]] std::vector<SearchSuffix> search_suffixes_of(std::string_view resolv_conf);

// A name as it was before a suffix was appended.
struct NameReading {
  std::string wire;
  std::string suffix;      // wire form; with the label that a "*" stood for
  bool any_label = false;  // it has such a label

  bool operator==(const NameReading&) const = default;
};

// wire: lower case. Each reading once; those that end in a top-level domain come first, then the shorter ones: what a
// person would take the name for.
[[nodiscard]] std::vector<NameReading> readings_of(std::string_view wire, std::span<const SearchSuffix> suffixes);

}  // namespace nslookout
