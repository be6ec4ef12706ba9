#include "compile/kernel_tables.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <cstdlib>

#include "base/dns_name.h"

// dns.h and match.h read names inside a message; here a message is a name behind an empty header.
#include "bpf/dns_reader.h"
// dns_reader.h first: it provides what the next two need
#include "bpf/dns.h"

struct nsl_tables {
  const nslookout::compile::KernelTables* tables;
};

static inline int nsl_filter_word(const struct nsl_tables* tables, nsl_u32 index, nsl_u64* word) {
  *word = tables->tables->filter[index];
  return 0;
}

static inline const struct nsl_name* nsl_name_lookup(const struct nsl_tables* tables, nsl_u64 key) {
  const auto& keys = tables->tables->name_keys;
  const auto found = std::lower_bound(keys.begin(), keys.end(), key);
  if (found == keys.end() || *found != key) return nullptr;
  return &tables->tables->name_values[static_cast<std::size_t>(found - keys.begin())];
}

#include "bpf/match.h"

namespace nslookout::compile {
namespace {

constexpr std::uint64_t filter_bits_per_name = 16;

// The octets that the kernel's code would see: the header's twelve, then the name. Big enough for any name and for the
// eight-octet reads.
struct Message {
  std::uint8_t octets[NSL_DNS_HEADER + 256] = {};
  explicit Message(std::string_view wire) { std::memcpy(octets + NSL_DNS_HEADER, wire.data(), std::min<std::size_t>(wire.size(), 256)); }
  [[nodiscard]] nsl_reader reader() const { return nsl_reader{octets, sizeof octets}; }
};

// Calls visit(depth, hash) for each suffix of at most NSL_WALK_LABELS labels, from the last label on.
template <typename Visit>
void walk_suffixes(std::string_view wire, const Seeds& seeds, nsl_labels* labels, Visit visit) {
  const Message message(wire);
  const nsl_reader reader = message.reader();
  if (nsl_find_labels(&reader, NSL_DNS_HEADER, labels) != 0) return;
  nsl_suffix_hash hash{seeds.first, seeds.second};
  std::uint64_t last = labels->last;
  const std::uint32_t depths = std::min<std::uint32_t>(labels->count, NSL_WALK_LABELS);
  for (std::uint32_t depth = 1; depth <= depths; ++depth) {
    if (nsl_absorb_label(&reader, NSL_DNS_HEADER + static_cast<std::uint32_t>(last & 0xFF), &hash) != 0) return;
    last >>= 8;
    visit(depth, depths, hash);
  }
}

}  // namespace

Seeds Seeds::random() {
  Seeds seeds;
  // getrandom of so few octets neither fails nor returns less once the pool is ready (getrandom(2)).
  if (getrandom(&seeds, sizeof seeds, 0) != sizeof seeds) std::abort();
  return seeds;
}

namespace {

struct Entry {
  std::uint64_t key = 0;
  nsl_name value{};
};

// Sorts the entries by key and unites equal ones. False when two names collide in the first hash but not in the second:
// one key cannot stand for both.
bool unite(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].key != entries[kept].key) {
      entries[++kept] = entries[i];
    } else if (entries[i].value.check == entries[kept].value.check) {
      entries[kept].value.kinds |= entries[i].value.kinds;
    } else {
      return false;
    }
  }
  if (!entries.empty()) entries.resize(kept + 1);
  return true;
}

std::vector<Entry> enter_names(const std::vector<KernelName>& names, const Seeds& seeds,
                               std::vector<std::uint64_t>& filter) {
  const auto mask = static_cast<std::uint32_t>(filter.size() - 1);
  std::vector<Entry> entries;
  entries.reserve(names.size());
  for (const KernelName& name : names) {
    nsl_labels labels{};
    walk_suffixes(name.wire, seeds, &labels,
                  [&](std::uint32_t depth, std::uint32_t depths, const nsl_suffix_hash& hash) {
                    std::uint64_t& word = filter[nsl_filter_index(&hash, mask)];
                    if (depth < depths) {
                      word |= nsl_below_bits(&hash);
                      return;
                    }
                    word |= nsl_listed_bits(&hash);
                    const bool deep = labels.count > NSL_WALK_LABELS;
                    const std::uint32_t kinds =
                        deep ? NSL_NAME_BELOW : (name.exact ? NSL_NAME_EXACT : 0u) | (name.below ? NSL_NAME_BELOW : 0u);
                    entries.push_back(Entry{hash.first, nsl_name{hash.second, kinds, 0}});
                  });
  }
  return entries;
}

}  // namespace

KernelTables build_kernel_tables(const std::vector<KernelName>& names, bool every_query, Seeds seeds) {
  KernelTables tables;
  tables.every_query = every_query;
  const std::uint64_t words = std::bit_ceil(std::max<std::uint64_t>(1, names.size() * filter_bits_per_name / 64));
  std::vector<Entry> entries;
  for (;;) {
    tables.filter.assign(words, 0);
    entries = enter_names(names, seeds, tables.filter);
    if (unite(entries)) break;
    ++seeds.first;  // a collision of 64 bits: once in tens of millions of starts with a million names
  }
  tables.seeds = seeds;
  tables.name_keys.reserve(entries.size());
  tables.name_values.reserve(entries.size());
  for (const Entry& entry : entries) {
    tables.name_keys.push_back(entry.key);
    tables.name_values.push_back(entry.value);
  }
  return tables;
}

bool KernelTables::lets_pass(std::string_view wire) const {
  if (every_query) return true;
  const Message message(wire);
  const nsl_reader reader = message.reader();
  nsl_labels labels{};
  if (nsl_find_labels(&reader, NSL_DNS_HEADER, &labels) != 0) return false;
  const nsl_generation generation{seeds.first, seeds.second, static_cast<std::uint32_t>(filter.size() - 1), 0, 0, 0};
  const nsl_tables view{this};
  return nsl_match_name(&reader, NSL_DNS_HEADER, &labels, &generation, &view) == NSL_REASON_NAME;
}

}  // namespace nslookout::compile
