// The table of listed names as the kernel reads it (bpf/names.h), built in memory: a cuckoo hash table of buckets of four.
//
// Invariant: what was added is in one of its two buckets, each pair of hashes once (up to the eight lowest bits of the first),
// with all kinds that were added for it. Nine tenths full where the number of names was known: 18 octets a name.
// An addition that finds no place makes the table larger, so additions do not fail.
// Thread rule: one thread adds, alone; any number read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bpf/abi.h"

namespace nslookout::compile {

class NameBuckets {
 public:
  // Room for this many names.
  explicit NameBuckets(std::size_t names = 0);

  // kinds: NSL_NAME_*, at least one.
  void add(std::uint64_t first, std::uint64_t second, std::uint32_t kinds);
  // Reads what add will read, ahead of time.
  void prefetch(std::uint64_t first, std::uint64_t second) const;
  // Gives back room that is not needed: names may have been added twice.
  void fit();

  // NSL_NAME_*, or 0.
  [[nodiscard]] std::uint32_t kinds(std::uint64_t first, std::uint64_t second) const;
  [[nodiscard]] std::size_t size() const { return size_; }  // names
  [[nodiscard]] std::span<const nsl_name_bucket> buckets() const { return buckets_; }

 private:
  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(buckets_.size()); }
  // Puts an entry that is not there yet into one of its buckets. False: the entry that is now in hand found no place.
  bool place(nsl_name& in_hand);
  [[nodiscard]] bool place_all(const std::vector<nsl_name_bucket>& buckets);
  // Into so many buckets, or more.
  void rebuild(std::size_t buckets, nsl_name in_hand);

  std::vector<nsl_name_bucket> buckets_;
  std::size_t size_ = 0;
  std::uint32_t turn_ = 0;  // which entry of a full bucket goes next
};

}  // namespace nslookout::compile
