// The kernel's tables, built in memory: the words of the suffix-trie filter, the buckets of the table of names, the automaton
// of texts, the record types, flags of the header.
//
// Invariant: if one of the predicates holds for a query (a listed name itself or a name below it, a text in the name, a
// record type), or for what comes before a search suffix of it, then walking the query through the tables (bpf/match.h,
// bpf/texts.h) reports a candidate. The converse does
// not hold: automaton.h says where texts over-approximate, and entries of more than NSL_WALK_LABELS labels are stored as "below" their last
// NSL_WALK_LABELS labels, and the verifier decides.
//
// The hash and the filter's layout are those of bpf/match.h, the one definition that the kernel programs use too.
// Thread rule: values; building is deterministic for a given seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/dns_flags.h"
#include "base/result.h"
#include "bpf/abi.h"
#include "compile/automaton.h"
#include "compile/name_buckets.h"
#include "lists/name_table.h"

namespace nslookout::compile {

// One listed name for the kernel. wire is in wire form and lower case (base/dns_name.h); its octets belong to the Plan
// (or whoever made the name), which outlives it.
struct KernelName {
  std::string_view wire;
  bool exact = false;        // the name itself
  bool below = false;        // every name below it
  std::uint32_t search = 0;  // NSL_NAME_SEARCH, NSL_NAME_SEARCH_ANY: it is a search suffix
  // NSL_NAME_BLOCK_*, NSL_NAME_ALLOW_*: of a name of NSL_WALK_LABELS labels at most
  std::uint32_t verdict = 0;
};

struct Seeds {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  // From the kernel's random source, so that nobody outside can aim at collisions.
  [[nodiscard]] static Seeds random();
};

// Flags of a query's header (base/dns_flags.h): any of the first set, or any of the second not.
struct HeaderFlags {
  std::uint16_t set = 0;
  std::uint16_t clear = 0;

  [[nodiscard]] bool empty() const { return set == 0 && clear == 0; }
  [[nodiscard]] bool holds_for(std::uint16_t flags) const {
    return (flags & set) != 0 || (static_cast<std::uint16_t>(~flags) & clear) != 0;
  }
  void unite(HeaderFlags other) {
    set |= other.set;
    clear |= other.clear;
  }
  bool operator==(const HeaderFlags&) const = default;
};

// What lets a query out of the kernel; any one of them is enough.
struct KernelPredicates {
  std::vector<KernelName> names = {};
  // What they list are names too, which are not copied. What they allow is not: the kernel lets a little too much through.
  std::vector<const lists::NameTable*> lists = {};
  std::vector<NameText> texts = {};
  std::vector<std::uint16_t> record_types = {};
  HeaderFlags flags = {};
  bool every_query = false;
  std::uint32_t awaited = 0;    // NSL_REASON_*: why a query leaves whose response is needed, too
  bool block_unlisted = false;  // what no name allows is blocked; every query leaves to be judged
  std::vector<const lists::NameTable*> blocking_lists = {};   // whose names are blocked; they are among lists, too
  std::vector<const lists::NameTable*> excepting_lists = {};  // whose exceptions are allowed
  std::vector<const lists::NameTable*> allowing_lists = {};   // whose names are allowed

  // Calls visit(KernelName) for each name.
  template <typename Visit>
  void for_each_name(Visit visit) const {
    for_each_verdict(visit);
    for (const KernelName& name : names) visit(name);
    for (const lists::NameTable* list : lists) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        const lists::NameEntry entry = list->entry(i);
        if (entry.listed()) visit(KernelName{entry.wire, entry.exact, entry.below});
      }
    }
  }

 private:
  // Of lists; the names of rules carry theirs with them.
  template <typename Visit>
  void for_each_verdict(Visit visit) const {
    const auto verdicts = [&](const std::vector<const lists::NameTable*>& of, auto verdict_of) {
      for (const lists::NameTable* list : of) {
        for (std::size_t i = 0; i < list->size(); ++i) {
          const lists::NameEntry entry = list->entry(i);
          if (const std::uint32_t verdict = verdict_of(entry); verdict != 0) {
            visit(KernelName{.wire = entry.wire, .verdict = verdict});
          }
        }
      }
    };
    const auto either = [](bool exact, std::uint32_t of_exact, bool below, std::uint32_t of_below) {
      return (exact ? of_exact : 0) | (below ? of_below : 0);
    };
    verdicts(blocking_lists, [&](const lists::NameEntry& entry) {
      return either(entry.exact, NSL_NAME_BLOCK_EXACT, entry.below, NSL_NAME_BLOCK_BELOW);
    });
    verdicts(excepting_lists, [&](const lists::NameEntry& entry) {
      return either(entry.allow_exact, NSL_NAME_ALLOW_EXACT, entry.allow_below, NSL_NAME_ALLOW_BELOW);
    });
    verdicts(allowing_lists, [&](const lists::NameEntry& entry) {
      return either(entry.exact, NSL_NAME_ALLOW_EXACT, entry.below, NSL_NAME_ALLOW_BELOW);
    });
  }
};

struct KernelTables {
  Seeds seeds;
  std::vector<std::uint64_t> filter;  // a power of two of 64-bit words, NSL_FILTER_WORDS at most
  NameBuckets names;
  Automaton texts;
  std::vector<std::uint16_t> record_types;
  HeaderFlags flags;
  bool every_query = false;
  bool blocks = false;  // some name has NSL_NAME_BLOCK_*
  bool block_unlisted = false;
  std::uint32_t awaited = 0;

  // Whether the kernel would block a query of a wire name (any case), by the code that the kernel runs.
  [[nodiscard]] bool blocks_name(std::string_view wire) const;

  // What the kernel's walk answers for a query of a wire name (any case), computed with the same code in user space.
  // flags: of its header; those of an ordinary lookup unless given.
  [[nodiscard]] bool lets_pass(std::string_view wire, std::uint16_t record_type,
                               std::uint16_t flags = dns_recursion_desired) const;

  // The part of the tables that is no map of its own.
  [[nodiscard]] nsl_generation generation(std::uint32_t number) const;
};

// Names may repeat; kinds of equal names are united.
[[nodiscard]] KernelTables build_kernel_tables(const KernelPredicates& predicates, Seeds seeds);

}  // namespace nslookout::compile
