// The public suffix list (publicsuffix.org), as libpsl carries it: where the part of a name ends that anybody can
// register below. Names are in presentation form (base/dns_name.h), lower case, labels outside ASCII as A-labels.
// Thread rule: read-only, any number of threads.
#pragma once

#include <string_view>
#include <vector>

namespace nslookout {

// The labels of a name in presentation form, as they are written; none for the root. An escaped dot separates nothing.
[[nodiscard]] std::vector<std::string_view> presentation_labels(std::string_view name);

// "evil.co.uk" for "www.evil.co.uk": the suffix of name that is one label longer than its public suffix. Empty where
// name is a public suffix itself, or the root.
[[nodiscard]] std::string_view registrable_domain(std::string_view name);

// Whether name is a suffix that a registry lets everybody register below ("com.br"), and not one that a company lets its
// customers use (duckdns.org).
[[nodiscard]] bool is_suffix_of_registry(std::string_view name);

// Whether the last label is a top-level domain of the list. ("local", "svc" and the like are none.)
[[nodiscard]] bool ends_in_top_level_domain(std::string_view name);

}  // namespace nslookout
