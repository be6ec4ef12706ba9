// Whether a lookup that was reported is one of a shorter name, to which a resolver appended a search suffix.
// Thread rule: read-only.
#pragma once

#include <span>
#include <vector>

#include "base/search_suffix.h"
#include "match/query.h"
#include "match/verifier.h"

namespace nslookout::match {

// The first of the readings under which one of the hits is a hit of the name before the suffix, too; none: the name is
// reported for itself. readings: those that query.read_also was given.
[[nodiscard]] const NameReading* expansion_of(const Query& query, std::span<const NameReading> readings,
                                              const std::vector<Hit>& hits);

}  // namespace nslookout::match
