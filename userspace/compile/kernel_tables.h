// The kernel's tables of names, built in memory: the words of the suffix-trie filter and the entries of the names map.
//
// Invariant: for every name n and every table built from a list L, if L has an entry that matches n (n itself for an
// exact entry, a name below it for a below entry) then walking n through the tables (bpf/match.h) reports a candidate.
// The converse does not hold: entries of more than NSL_WALK_LABELS labels are stored as "below" their last
// NSL_WALK_LABELS labels, and the verifier decides.
//
// The hash and the filter's layout are those of bpf/match.h, the one definition that the kernel programs use too.
// Thread rule: values; building uses a few threads for many names, and is deterministic for a given seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bpf/abi.h"

namespace nslookout::compile {

// One listed name for the kernel. wire is in wire form and lower case (base/dns_name.h); its octets belong to the Plan
// (or whoever made the name), which outlives it.
struct KernelName {
  std::string_view wire;
  bool exact = false;  // the name itself
  bool below = false;  // every name below it
};

struct Seeds {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  // From the kernel's random source, so that nobody outside can aim at collisions.
  [[nodiscard]] static Seeds random();
};

struct KernelTables {
  Seeds seeds;
  std::vector<std::uint64_t> filter;     // a power of two of 64-bit words, NSL_FILTER_WORDS at most
  std::vector<std::uint64_t> name_keys;  // entries of the names map, ascending, no key twice
  std::vector<nsl_name> name_values;     // parallel to name_keys
  bool every_query = false;

  // What the kernel's walk answers for a wire name (any case), computed with the same code in user space.
  [[nodiscard]] bool lets_pass(std::string_view wire) const;
};

// Names may repeat; kinds of equal names are united.
[[nodiscard]] KernelTables build_kernel_tables(const std::vector<KernelName>& names, bool every_query, Seeds seeds);

}  // namespace nslookout::compile
