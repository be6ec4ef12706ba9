#include "compile/kernel_tables.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "base/dns_name.h"

// dns.h and match.h read names inside a message; here a message is a name behind an empty header.
#include "bpf/dns_reader.h"
// dns_reader.h first: it provides what the next ones need
#include "bpf/dns.h"
#include "bpf/names.h"

struct nsl_tables {
  const nslookout::compile::KernelTables* tables;
};

static inline nsl_u64 nsl_filter_word(const struct nsl_tables* tables, nsl_u32 index) {
  return tables->tables->filter[index];
}

static inline nsl_u32 nsl_name_kinds(const struct nsl_tables* tables, const struct nsl_suffix_hash* hash) {
  return tables->tables->names.kinds(hash->first, hash->second);
}

static inline nsl_u32 nsl_text_cell(const struct nsl_tables* tables, nsl_u64 index) {
  return tables->tables->texts.cells[index];
}

#include "bpf/judge.h"
#include "bpf/texts.h"

static inline nsl_u64 nsl_label_hash(const struct nsl_reader* reader, nsl_u32 begin, nsl_u32 end, int which,
                                     nsl_u64 hash) {
  return nsl_hash_label(reader, begin, end, which, hash);
}

static inline nsl_u32 nsl_tables_answer(const struct nsl_tables* tables, const struct nsl_suffix_hash* hash,
                                        const struct nsl_generation* generation, nsl_u64 judging) {
  return nsl_ask_tables(tables, hash, generation->filter_mask, judging);
}

static inline nsl_u64 nsl_text_piece(const struct nsl_reader* reader, nsl_u32 at, nsl_u32 count,
                                     const struct nsl_generation* generation, const struct nsl_tables* tables,
                                     nsl_u64 walk) {
  return nsl_walk_text_piece(reader, at, count, generation, tables, walk);
}

namespace nslookout::compile {
namespace {

constexpr std::uint64_t filter_bits_per_name = 16;

// The octets that the kernel's code would see: the header's twelve, then the name. Big enough for any name and for the
// eight-octet reads.
struct Message {
  std::uint8_t octets[NSL_DNS_HEADER + 256] = {};
  explicit Message(std::string_view wire) {
    std::memcpy(octets + NSL_DNS_HEADER, wire.data(), std::min<std::size_t>(wire.size(), 256));
  }
  [[nodiscard]] nsl_reader reader() const { return nsl_reader{octets, sizeof octets}; }
};

// A wire name, read as the kernel would read it.
struct Asked {
  explicit Asked(std::string_view wire)
      : message(wire), well_formed(nsl_find_labels(&reader, NSL_DNS_HEADER, &labels) == 0) {}
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;
  ~Asked() = default;

  Message message;
  nsl_reader reader = message.reader();
  nsl_labels labels{};
  bool well_formed;
};

// Calls visit(walk, last) for each suffix of at most NSL_WALK_LABELS labels, from the last label on; last: it is the longest
// of them.
template <typename Visit>
void walk_suffixes(std::string_view wire, const Seeds& seeds, Visit visit) {
  const Asked asked(wire);
  if (!asked.well_formed) return;
  nsl_walk walk = nsl_walk_start(&asked.labels, seeds.first, seeds.second);
  for (int i = 0; i < NSL_WALK_LABELS && walk.label != 0; ++i) {
    if (nsl_walk_label(&asked.reader, NSL_DNS_HEADER, &walk) != 0) return;
    visit(walk, walk.label == 0 || i == NSL_WALK_LABELS - 1);
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

// Enters suffixes into filter and table. Both are larger than a cache: the places of a suffix are asked for first, and
// written a few suffixes later.
constexpr std::uint32_t verdict_kinds =
    NSL_NAME_BLOCK_EXACT | NSL_NAME_BLOCK_BELOW | NSL_NAME_ALLOW_EXACT | NSL_NAME_ALLOW_BELOW;

class Entering {
 public:
  explicit Entering(KernelTables& tables)
      : filter_(tables.filter), names_(tables.names), mask_(static_cast<std::uint32_t>(filter_.size() - 1)) {}

  // kinds: NSL_NAME_*; 0 when the suffix is not listed itself, but something below it is. What has a verdict alone is in no
  // filter: it lets nothing out.
  void enter(const nsl_suffix_hash& hash, std::uint32_t kinds) {
    if (waiting_.size() == ahead) write_all();
    __builtin_prefetch(&filter_[nsl_filter_index(&hash, mask_)], 1);
    if (kinds != 0) names_.prefetch(hash.first, hash.second);
    waiting_.push_back({hash, kinds});
  }

  void write_all() {
    for (const auto& [hash, kinds] : waiting_) {
      if ((kinds & verdict_kinds) == 0 || (kinds & ~verdict_kinds) != 0) {
        filter_[nsl_filter_index(&hash, mask_)] |= kinds != 0 ? nsl_listed_bits(&hash) : nsl_below_bits(&hash);
      }
      if (kinds != 0) names_.add(hash.first, hash.second, kinds);
    }
    waiting_.clear();
  }

 private:
  static constexpr std::size_t ahead = 32;

  struct Suffix {
    nsl_suffix_hash hash;
    std::uint32_t kinds;
  };

  std::vector<std::uint64_t>& filter_;
  NameBuckets& names_;
  std::uint32_t mask_;
  std::vector<Suffix> waiting_;
};

// What becomes of a name that has more labels than the table tells apart: it is not blocked, and what it allows is more.
std::uint32_t verdict_of_deep(std::uint32_t verdict) {
  return (verdict & (NSL_NAME_ALLOW_EXACT | NSL_NAME_ALLOW_BELOW)) != 0 ? NSL_NAME_ALLOW_BELOW : 0;
}

void enter_names(const KernelPredicates& predicates, KernelTables& tables) {
  Entering entering(tables);
  predicates.for_each_name([&](const KernelName& name) {
    const std::uint32_t kinds = (name.exact ? NSL_NAME_EXACT : 0u) | (name.below ? NSL_NAME_BELOW : 0u) | name.search;
    walk_suffixes(name.wire, tables.seeds, [&](const nsl_walk& walk, bool last) {
      const bool deep = walk.label != 0;
      if (!last) {
        if (kinds != 0) entering.enter(walk.hash, 0);
        return;
      }
      const std::uint32_t verdict = deep ? verdict_of_deep(name.verdict) : name.verdict;
      const std::uint32_t entered = (kinds != 0 && deep ? NSL_NAME_BELOW : kinds) | verdict;
      tables.blocks = tables.blocks || (verdict & (NSL_NAME_BLOCK_EXACT | NSL_NAME_BLOCK_BELOW)) != 0;
      if (entered != 0) entering.enter(walk.hash, entered);
    });
  });
  entering.write_all();
}

}  // namespace

KernelTables build_kernel_tables(const KernelPredicates& predicates, Seeds seeds) {
  std::size_t names = predicates.names.size();
  for (const auto* lists :
       {&predicates.lists, &predicates.blocking_lists, &predicates.excepting_lists, &predicates.allowing_lists}) {
    for (const lists::NameTable* list : *lists) names += list->size();
  }
  KernelTables tables;
  tables.seeds = seeds;
  tables.texts = build_automaton(predicates.texts);
  tables.record_types = predicates.record_types;
  tables.flags = predicates.flags;
  tables.block_unlisted = predicates.block_unlisted;
  tables.every_query = predicates.every_query || predicates.block_unlisted;
  tables.awaited = predicates.awaited;
  tables.filter.assign(std::min<std::uint64_t>(NSL_FILTER_WORDS, std::bit_ceil(std::max<std::uint64_t>(
                                                                     1, names * filter_bits_per_name / 64))),
                       0);
  tables.names = NameBuckets(names);
  enter_names(predicates, tables);
  tables.names.fit();
  return tables;
}

bool KernelTables::lets_pass(std::string_view wire, std::uint16_t record_type, std::uint16_t flags) const {
  if (every_query) return true;
  const Asked asked(wire);
  if (!asked.well_formed) return false;
  const nsl_generation generation = this->generation(0);
  const nsl_tables view{this};
  nsl_u64 search = 0;
  nsl_u64 none = 0;
  if (nsl_match_reading(&asked.reader, NSL_DNS_HEADER, &asked.labels, 0, 0, &generation, &view, &search) != 0)
    return true;
  for (nsl_u64 off = 1; off < NSL_WALK_LABELS; ++off) {
    if ((search >> off & 1) == 0) continue;
    if (nsl_match_reading(&asked.reader, NSL_DNS_HEADER, &asked.labels, off, 0, &generation, &view, &none) != 0)
      return true;
  }
  if (generation.text_shift != 0 &&
      nsl_match_texts(&asked.reader, NSL_DNS_HEADER, asked.labels.length, &generation, &view) != 0) {
    return true;
  }
  return nsl_is_forwarded_type(&generation, record_type) != 0 || nsl_are_forwarded_flags(&generation, flags) != 0;
}

bool KernelTables::blocks_name(std::string_view wire) const {
  const Asked asked(wire);
  if (!asked.well_formed) return false;
  const nsl_generation generation = this->generation(0);
  const nsl_tables view{this};
  const int judged = nsl_judge_name(&asked.reader, NSL_DNS_HEADER, &asked.labels, &generation, &view);
  return judged == NSL_JUDGED_BLOCK || (judged == NSL_JUDGED_NOTHING && block_unlisted);
}

nsl_generation KernelTables::generation(std::uint32_t number) const {
  nsl_generation generation{};
  generation.seed1 = seeds.first;
  generation.seed2 = seeds.second;
  generation.filter_mask = static_cast<std::uint32_t>(filter.size() - 1);
  generation.number = number;
  generation.every_query = every_query ? 1 : 0;
  generation.awaited = awaited;
  generation.has_types = record_types.empty() ? 0 : 1;
  for (const std::uint16_t type : record_types) {
    generation.record_types[type % NSL_TYPE_BITS / 64] |= std::uint64_t{1} << (type % 64);
  }
  generation.text_start = texts.start;
  generation.text_shift = texts.shift;
  generation.name_buckets = static_cast<std::uint32_t>(names.buckets().size());
  std::ranges::copy(texts.symbols, generation.text_symbols);
  generation.blocks = blocks ? 1 : 0;
  generation.block_unlisted = block_unlisted ? 1 : 0;
  generation.flags_set = flags.set;
  generation.flags_clear = flags.clear;
  generation.further =
      generation.every_query | generation.has_types | generation.text_shift | (flags.empty() ? 0U : 1U);
  return generation;
}

}  // namespace nslookout::compile
