#include "match/expansion.h"

#include <algorithm>

namespace nslookout::match {
namespace {

bool hits_shorter_name(const Hit& hit, const Query& shorter) {
  if (hit.list != nullptr) return !hit.list->table.covering(shorter.wire()).wire.empty();
  return !hit.correlation && evaluate(*hit.rule, shorter).has_value();
}

}  // namespace

const NameReading* expansion_of(const Query& query, std::span<const NameReading> readings,
                                const std::vector<Hit>& hits) {
  for (const NameReading& reading : readings) {
    const Query shorter = query.with_name(reading.wire);
    if (std::ranges::any_of(hits, [&](const Hit& hit) { return hits_shorter_name(hit, shorter); })) return &reading;
  }
  return nullptr;
}

}  // namespace nslookout::match
