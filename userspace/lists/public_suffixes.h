// The public suffixes (publicsuffix.org) among the listed names: "com.br" with all below it is most of a country.
#pragma once

#include <cstddef>
#include <string>

#include "lists/name_table.h"

namespace nslookout::lists {

struct PublicSuffixes {
  std::size_t count = 0;
  std::string first;  // the first in the list, in presentation form; empty if there is none
};

// Of names listed with all below them. A top-level domain is one, known or not; so are the domains of companies below
// which anybody gets a name of his own (duckdns.org). Large tables are divided among threads (base/parallel.h).
[[nodiscard]] PublicSuffixes find_public_suffixes(const NameTable& table);

}  // namespace nslookout::lists
