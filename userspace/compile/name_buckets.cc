#include "compile/name_buckets.h"

#include <algorithm>
#include <utility>

#include "bpf/dns_reader.h"
// dns_reader.h first: it provides what names.h needs
#include "bpf/names.h"

namespace nslookout::compile {
namespace {

// Moves before an addition gives up; at nine tenths full one in a million needs as many as a hundred.
constexpr int most_moves = 1000;

bool is_empty(const nsl_name& entry) { return entry.first == 0 && entry.second == 0; }

bool put(nsl_name_bucket& bucket, const nsl_name& entry) {
  nsl_name* const free = std::ranges::find_if(bucket.entries, is_empty);
  if (free == std::end(bucket.entries)) return false;
  *free = entry;
  return true;
}

// Nine tenths of the entries for so many names.
std::size_t buckets_for(std::size_t names) { return names * 10 / (std::size_t{9} * NSL_NAME_BUCKET_ENTRIES) + 1; }

}  // namespace

NameBuckets::NameBuckets(std::size_t names) : buckets_(buckets_for(names)) {}

void NameBuckets::prefetch(std::uint64_t first, std::uint64_t second) const {
  __builtin_prefetch(&buckets_[nsl_first_bucket(first, count())], 1);
  __builtin_prefetch(&buckets_[nsl_second_bucket(second, count())], 1);
}

void NameBuckets::add(std::uint64_t first, std::uint64_t second, std::uint32_t kinds) {
  for (const std::uint32_t index : {nsl_first_bucket(first, count()), nsl_second_bucket(second, count())}) {
    for (nsl_name& entry : buckets_[index].entries) {
      if (entry.second != second || ((entry.first ^ first) & NSL_NAME_HASH) != 0 || is_empty(entry)) continue;
      entry.first |= kinds;
      return;
    }
  }
  ++size_;
  nsl_name entry{(first & NSL_NAME_HASH) | kinds, second};
  if (!place(entry)) rebuild(buckets_.size() + buckets_.size() / 8 + 1, entry);
}

bool NameBuckets::place(nsl_name& in_hand) {
  const std::uint32_t first_bucket = nsl_first_bucket(in_hand.first, count());
  if (put(buckets_[first_bucket], in_hand)) return true;
  std::uint32_t bucket = nsl_second_bucket(in_hand.second, count());
  for (int moves = 0; moves < most_moves; ++moves) {
    if (put(buckets_[bucket], in_hand)) return true;
    std::swap(in_hand, buckets_[bucket].entries[turn_++ % NSL_NAME_BUCKET_ENTRIES]);
    // the one that had to go has another bucket
    const std::uint32_t one = nsl_first_bucket(in_hand.first, count());
    bucket = one != bucket ? one : nsl_second_bucket(in_hand.second, count());
  }
  return false;
}

bool NameBuckets::place_all(const std::vector<nsl_name_bucket>& buckets) {
  for (const nsl_name_bucket& bucket : buckets) {
    for (nsl_name entry : bucket.entries) {
      if (!is_empty(entry) && !place(entry)) return false;
    }
  }
  return true;
}

void NameBuckets::rebuild(std::size_t buckets, nsl_name in_hand) {
  const std::vector<nsl_name_bucket> old = std::exchange(buckets_, {});
  bool placed = false;
  for (; !placed; buckets += buckets / 8 + 1) {
    buckets_.assign(buckets, {});
    nsl_name entry = in_hand;
    placed = (is_empty(entry) || place(entry)) && place_all(old);
  }
}

void NameBuckets::fit() {
  const std::size_t enough = buckets_for(size_);
  if (enough + enough / 4 < buckets_.size()) rebuild(enough, {});
}

std::uint32_t NameBuckets::kinds(std::uint64_t first, std::uint64_t second) const {
  const std::uint32_t kinds = nsl_kinds_in_bucket(&buckets_[nsl_first_bucket(first, count())], first, second);
  return kinds != 0 ? kinds : nsl_kinds_in_bucket(&buckets_[nsl_second_bucket(second, count())], first, second);
}

}  // namespace nslookout::compile
