#include "compile/kernel_tables.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/dns_name.h"
#include "base/parallel.h"

// dns.h and match.h read names inside a message; here a message is a name behind an empty header.
#include "bpf/dns_reader.h"
// dns_reader.h first: it provides what the next two need
#include "bpf/dns.h"

struct nsl_tables {
  const nslookout::compile::KernelTables* tables;
};

static inline nsl_u64 nsl_filter_word(const struct nsl_tables* tables, nsl_u32 index) {
  return tables->tables->filter[index];
}

static inline const struct nsl_name* nsl_name_lookup(const struct nsl_tables* tables, nsl_u64 key) {
  const auto& keys = tables->tables->name_keys;
  const auto found = std::lower_bound(keys.begin(), keys.end(), key);
  if (found == keys.end() || *found != key) return nullptr;
  return &tables->tables->name_values[static_cast<std::size_t>(found - keys.begin())];
}

static inline nsl_u32 nsl_text_cell(const struct nsl_tables* tables, nsl_u64 index) {
  return tables->tables->texts.cells[index];
}

#include "bpf/match.h"
#include "bpf/texts.h"

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

// Calls visit(walk, last) for each suffix of at most NSL_WALK_LABELS labels, from the last label on; last: it is the longest
// of them.
template <typename Visit>
void walk_suffixes(std::string_view wire, const Seeds& seeds, Visit visit) {
  const Message message(wire);
  const nsl_reader reader = message.reader();
  nsl_labels labels{};
  if (nsl_find_labels(&reader, NSL_DNS_HEADER, &labels) != 0) return;
  nsl_walk walk = nsl_walk_start(&labels, seeds.first, seeds.second);
  for (int i = 0; i < NSL_WALK_LABELS && walk.label != 0; ++i) {
    if (nsl_walk_label(&reader, NSL_DNS_HEADER, &walk) != 0) return;
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

struct Entry {
  std::uint64_t key = 0;
  nsl_name value{};
};

bool by_key(const Entry& a, const Entry& b) { return a.key < b.key; }

// Unites equal ones of entries in the order of their keys. False when two names collide in the first hash but not in the
// second: one key cannot stand for both.
bool unite(std::vector<Entry>& entries) {
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

// Filter and entries of some of the names; the entries in the order of their keys.
struct Part {
  std::vector<std::uint64_t> filter;
  std::vector<Entry> entries;
};

void enter_name(const KernelName& name, const Seeds& seeds, Part& part) {
  const auto mask = static_cast<std::uint32_t>(part.filter.size() - 1);
  walk_suffixes(name.wire, seeds, [&](const nsl_walk& walk, bool last) {
    std::uint64_t& word = part.filter[nsl_filter_index(&walk.hash, mask)];
    if (!last) {
      word |= nsl_below_bits(&walk.hash);
      return;
    }
    word |= nsl_listed_bits(&walk.hash);
    const bool deep = walk.label != 0;
    const std::uint32_t kinds =
        deep ? NSL_NAME_BELOW : (name.exact ? NSL_NAME_EXACT : 0u) | (name.below ? NSL_NAME_BELOW : 0u);
    part.entries.push_back(Entry{walk.hash.first, nsl_name{walk.hash.second, kinds, 0}});
  });
}

// Adds the second to the first.
void add(Part& to, const Part& from) {
  for (std::size_t i = 0; i < to.filter.size(); ++i) to.filter[i] |= from.filter[i];
  std::vector<Entry> merged(to.entries.size() + from.entries.size());
  std::merge(to.entries.begin(), to.entries.end(), from.entries.begin(), from.entries.end(), merged.begin(), by_key);
  to.entries = std::move(merged);
}

Part enter_names(const std::vector<KernelName>& names, const Seeds& seeds, std::size_t filter_words) {
  std::vector<Part> parts(parts_for(names.size()));
  in_parts(names.size(), parts.size(), [&](std::size_t index, std::size_t begin, std::size_t end) {
    Part& part = parts[index];
    part.filter.assign(filter_words, 0);
    part.entries.reserve(end - begin);
    for (std::size_t i = begin; i < end; ++i) enter_name(names[i], seeds, part);
    std::sort(part.entries.begin(), part.entries.end(), by_key);
  });
  for (std::size_t i = 1; i < parts.size(); ++i) add(parts[0], parts[i]);
  return std::move(parts[0]);
}

}  // namespace

KernelTables build_kernel_tables(const KernelPredicates& predicates, Seeds seeds) {
  const std::vector<KernelName>& names = predicates.names;
  KernelTables tables;
  tables.texts = build_automaton(predicates.texts);
  tables.record_types = predicates.record_types;
  tables.every_query = predicates.every_query;
  const std::uint64_t words = std::min<std::uint64_t>(
      NSL_FILTER_WORDS, std::bit_ceil(std::max<std::uint64_t>(1, names.size() * filter_bits_per_name / 64)));
  Part whole = enter_names(names, seeds, words);
  while (!unite(whole.entries)) {
    ++seeds.first;  // a collision of 64 bits: once in tens of millions of starts with a million names
    whole = enter_names(names, seeds, words);
  }
  tables.seeds = seeds;
  tables.filter = std::move(whole.filter);
  tables.name_keys.reserve(whole.entries.size());
  tables.name_values.reserve(whole.entries.size());
  for (const Entry& entry : whole.entries) {
    tables.name_keys.push_back(entry.key);
    tables.name_values.push_back(entry.value);
  }
  return tables;
}

bool KernelTables::lets_pass(std::string_view wire, std::uint16_t record_type) const {
  if (every_query) return true;
  const Message message(wire);
  const nsl_reader reader = message.reader();
  nsl_labels labels{};
  if (nsl_find_labels(&reader, NSL_DNS_HEADER, &labels) != 0) return false;
  const nsl_generation generation = this->generation(0);
  const nsl_tables view{this};
  if (nsl_match_name(&reader, NSL_DNS_HEADER, &labels, &generation, &view) != 0) return true;
  if (generation.text_shift != 0 && nsl_match_texts(&reader, NSL_DNS_HEADER, labels.length, &generation, &view) != 0) {
    return true;
  }
  return nsl_is_forwarded_type(&generation, record_type) != 0;
}

nsl_generation KernelTables::generation(std::uint32_t number) const {
  nsl_generation generation{};
  generation.seed1 = seeds.first;
  generation.seed2 = seeds.second;
  generation.filter_mask = static_cast<std::uint32_t>(filter.size() - 1);
  generation.number = number;
  generation.every_query = every_query ? 1 : 0;
  generation.has_types = record_types.empty() ? 0 : 1;
  for (const std::uint16_t type : record_types) {
    generation.record_types[type % NSL_TYPE_BITS / 64] |= std::uint64_t{1} << (type % 64);
  }
  generation.text_start = texts.start;
  generation.text_shift = texts.shift;
  std::ranges::copy(texts.symbols, generation.text_symbols);
  return generation;
}

}  // namespace nslookout::compile
