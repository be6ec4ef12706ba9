// For random tables and random names: what the program in the kernel lets pass is what the same walk in user space says
// (KernelTables::lets_pass), query for query; and it never keeps back a name that the list matches.
#include <algorithm>
#include <random>

#include "base/dns_name.h"
#include "base/search_suffix.h"
#include "child.h"
#include "compile/plan.h"
#include "harness.h"
#include "match/reference.h"
#include "match/verifier.h"
#include "sender.h"
#include "sigma/load.h"
#include "wire.h"

namespace nslookout::kernel_test {
namespace {

// Few labels of few kinds, so that listed names, names below them and near misses are all common.
class RandomNames {
 public:
  explicit RandomNames(std::uint32_t seed) : generator_(seed) {}

  std::string wire(std::size_t most_labels) {
    const std::size_t count = 1 + generator_() % most_labels;
    std::vector<std::string> labels;
    for (std::size_t i = 0; i < count; ++i) labels.push_back(label());
    labels.push_back(top_);
    return wire_labels(labels);
  }

  std::string with_random_case(std::string wire) {
    std::size_t label_end = 0;
    for (std::size_t i = 0; i < wire.size(); ++i) {
      if (i == label_end) {
        label_end = i + 1 + static_cast<unsigned char>(wire[i]);
        continue;
      }
      if (wire[i] >= 'a' && wire[i] <= 'z' && generator_() % 2 == 0) wire[i] = static_cast<char>(wire[i] - 32);
    }
    return wire;
  }

  std::uint32_t number() { return static_cast<std::uint32_t>(generator_()); }

 private:
  std::string label() {
    switch (generator_() % 8) {
      case 0:
        return std::string(1 + generator_() % 63, 'l');
      case 1:
        return random_octets(1 + generator_() % 12, static_cast<std::uint32_t>(generator_()));
      default:
        return std::string(1, static_cast<char>('a' + generator_() % 4));
    }
  }

  std::mt19937 generator_;
  // A top of this run alone, so that other traffic of the machine is never listed.
  std::string top_ = "p" + zone().substr(1, 8);
};

bool listed(const std::vector<ListedName>& names, const std::string& wire) {
  const auto folded = ascii_lower(wire);
  return std::ranges::any_of(names, [&](const ListedName& name) {
    if (name.exact && folded == name.wire) return true;
    if (!name.below || folded.size() <= name.wire.size()) return false;
    for (std::size_t at = 0; folded.size() - at > name.wire.size();) {
      at += 1 + static_cast<unsigned char>(folded[at]);
      if (std::string_view(folded).substr(at) == name.wire) return true;
    }
    return false;
  });
}

// What the tables make of a list (compile/kernel_tables.h): an entry of more than NSL_WALK_LABELS labels stands for
// everything below its last NSL_WALK_LABELS labels. Nothing else is widened.
std::vector<ListedName> widened(std::vector<ListedName> names) {
  for (auto& name : names) {
    auto labels = label_count(name.wire);
    if (labels <= NSL_WALK_LABELS) continue;
    for (; labels > NSL_WALK_LABELS; --labels) name.wire.erase(0, 1U + static_cast<unsigned char>(name.wire[0]));
    name.exact = false;
    name.below = true;
  }
  return names;
}

std::vector<ListedName> random_list(RandomNames& random, std::size_t count) {
  std::vector<ListedName> names;
  for (std::size_t i = 0; i < count; ++i) {
    const auto kind = random.number() % 3;
    names.push_back({.wire = ascii_lower(random.wire(12)), .exact = kind != 1, .below = kind != 0});
  }
  return names;
}

// Half of them listed names as they are or with something in front, the rest at random; at most 255 octets.
std::vector<std::string> random_queries(RandomNames& random, const std::vector<ListedName>& list, std::size_t count) {
  std::vector<std::string> wires;
  while (wires.size() < count) {
    std::string wire = random.wire(14);
    if (random.number() % 2 == 0) {
      wire = list[random.number() % list.size()].wire;
      if (random.number() % 2 == 0) wire.insert(0, "\1w");
    }
    if (wire.size() <= NSL_NAME_MAX) wires.push_back(random.with_random_case(wire));
  }
  return wires;
}

// A query, or a candidate, as the comparison shows it.
std::string shown(std::size_t id, const std::string& wire) {
  return fmt::format("{} {}", id, wire_to_presentation(wire));
}

class KernelProperty : public SensorSuite {
 protected:
  // Sends the payloads and expects the wanted ones, by shown(), as candidates: each once, in this order, and no other.
  static void expect_candidates(const Payloads& payloads, const std::vector<std::string>& wanted) {
    const auto run = run_child("sender", [&] { return send_sendto(server_address(AddressKind::v4), payloads); });
    NSL_ASSERT_OK(run.result);
    const auto candidates = harness().collect();
    NSL_ASSERT_OK(candidates);
    std::vector<std::string> came;
    for (const auto& one : *candidates) came.push_back(shown(one.id, name_of(one)));
    EXPECT_EQ(came, wanted);
  }

  static void check(std::uint32_t seed, std::size_t list_size) {
    SCOPED_TRACE(fmt::format("seed {}, {} names listed", seed, list_size));
    constexpr std::size_t queries = 700;
    RandomNames random(seed);
    auto list = random_list(random, list_size);
    std::erase_if(list, [](const auto& name) { return name.wire.size() > NSL_NAME_MAX; });
    const auto wires = random_queries(random, list, queries);

    // The tables that user space asks are those that the kernel has: the same seeds, published here by hand.
    list.push_back(canary_entry());
    const auto tables = tables_of(list);
    NSL_ASSERT_OK(harness().publish(tables));

    Payloads payloads;
    std::vector<std::string> wanted;
    const auto wide = widened(list);
    for (std::size_t i = 0; i < wires.size(); ++i) {
      payloads.push_back(query(wires[i], type_a, static_cast<std::uint16_t>(i)));
      const bool passes = tables.lets_pass(wires[i], type_a);
      if (passes) wanted.push_back(shown(i, wires[i]));
      EXPECT_TRUE(passes || !listed(list, wires[i])) << "kept back: " << wire_to_presentation(wires[i]);
      EXPECT_EQ(passes, listed(wide, wires[i])) << wire_to_presentation(wires[i]);
    }
    expect_candidates(payloads, wanted);
    EXPECT_GT(wanted.size(), 0U);
    EXPECT_LT(wanted.size(), wires.size());
  }
};

// A rule about names like these, a few kinds of tests with a few kinds of conditions. forcing: also what says nothing of
// the name.
std::string random_rule(RandomNames& random, const std::vector<std::string>& names, bool forcing) {
  const auto piece = [&](std::size_t least) {
    const std::string& name = names[random.number() % names.size()];
    const std::size_t begin = random.number() % (name.size() - least);
    return name.substr(begin, least + random.number() % 4);
  };
  const auto test = [&]() -> std::string {
    const std::string& name = names[random.number() % names.size()];
    switch (random.number() % 10) {
      case 8:
        return random.number() % 2 == 0 ? "Z|neq: 0" : "Z: 4";
      case 9:
        return random.number() % 2 == 0 ? "RD: false" : "query|startswith: '" + name.substr(0, 2) + "'\n    Z: 1";
      case 0:
        return "query|endswith: '." + name.substr(name.find('.') + 1) + "'";
      case 1:
        return "query|contains: '" + piece(4) + "'";
      case 2:
        return "query|startswith: '" + name.substr(0, 4) + "'";
      case 3:
        return "query|re: '" + std::string(4, 'l') + "+[.]a'";
      case 4:
        return "record_type: TXT";
      case 5:
        return "query|contains: '" + piece(5) + "'\n    dst_port: " + (random.number() % 2 == 0 ? "53" : "5353");
      case 6:
        return "query|contains|all: ['" + piece(3) + "', '" + piece(3) + "']";
      default:
        return "query: '" + name + "'";
    }
  };
  static const std::vector<std::string> by_name = {"s0", "s0 and not s1", "s0 or s1", "s0 and s1"};
  const std::string condition =
      forcing && random.number() % 4 == 0 ? "s0 or not s1" : by_name[random.number() % by_name.size()];
  return "title: t\nlogsource: {category: dns}\ndetection:\n  s0:\n    " + test() + "\n  s1:\n    " + test() +
         "\n  condition: " + condition + "\n";
}

match::Query lookup_of(const std::string& wire, std::uint16_t type, std::uint16_t flags, const compile::Plan& plan) {
  match::Query query = match::Query::of_wire(wire);
  query.set_record_type(type);
  query.set_flags(flags);
  query.set(sigma::Field::server_port, "53");
  query.read_also(readings_of(query.wire(), plan.search_suffixes()));
  return query;
}

match::ReferenceHits indexes_of(const compile::Plan& plan, const std::vector<match::Hit>& hits) {
  match::ReferenceHits indexes;
  for (const match::Hit& hit : hits) indexes.rules.push_back(static_cast<std::size_t>(hit.rule - plan.rules().data()));
  return indexes;
}

// What the kernel lets out, held against the rules by the verifier, is what the reference says of all that was sent. In a
// full scan, a second opinion, the kernel lets everything out.
class RulesInTheKernel : public KernelProperty {
 protected:
  static void check_rules(std::uint32_t seed, bool full_scan, std::size_t& kept_back) {
    SCOPED_TRACE(fmt::format("seed {}{}", seed, full_scan ? ", full scan" : ""));
    RandomNames random(seed);
    std::vector<std::string> wires, plain;
    while (plain.size() < 40) {
      wires.push_back(random.wire(7));
      const std::string name = ascii_lower(wire_to_presentation(wires.back()));
      if (name.size() > 12 && name.find_first_of("\\'") == std::string::npos) plain.push_back(name);
    }
    std::string text;
    for (int i = 0; i < 5; ++i) text += "---\n" + random_rule(random, plain, seed % 3 == 0);
    sigma::RuleSet set = sigma::parse_rules(text, "random.yml");
    ASSERT_EQ(set.error_count(), 0U) << set.findings.front().text() << "\n" << text;
    compile::Plan plan = compile::make_plan(std::move(set.rules), {});
    const std::string suffix = ascii_lower(random.wire(2));
    plan.set_search_suffixes({{suffix, seed % 2 == 0}});

    const ListedName canaries = canary_entry();
    compile::KernelPredicates predicates = plan.predicates();
    predicates.names.push_back({canaries.wire, canaries.exact, canaries.below});
    predicates.every_query = predicates.every_query || full_scan;
    const auto tables = compile::build_kernel_tables(predicates, compile::Seeds::random());
    NSL_ASSERT_OK(harness().publish(tables, true));

    Payloads payloads;
    std::vector<match::Query> lookups;
    for (std::size_t i = 0; i < 300; ++i) {
      std::string wire = random.with_random_case(wires[random.number() % wires.size()]);
      if (random.number() % 3 == 0) wire.insert(0, "\1w");
      if (random.number() % 3 == 0) wire.replace(wire.size() - 1, 1, (seed % 2 == 0 ? "\2ns" : "") + suffix);
      if (wire.size() > NSL_NAME_MAX) continue;
      const std::uint16_t type = random.number() % 10 == 0 ? type_txt : type_a;
      const std::uint16_t flags = random.number() % 10 == 0 ? random.number() % 8 << 4 : dns_recursion_desired;
      payloads.push_back(query(wire, type, static_cast<std::uint16_t>(lookups.size())));
      payloads.back()[2] = static_cast<std::uint8_t>(flags >> 8);
      payloads.back()[3] = static_cast<std::uint8_t>(flags & 0xFF);
      lookups.push_back(lookup_of(wire, type, flags, plan));
    }
    const auto run = run_child("sender", [&] { return send_sendto(server_address(AddressKind::v4), payloads); });
    NSL_ASSERT_OK(run.result);
    const auto candidates = harness().collect();
    NSL_ASSERT_OK(candidates);

    const match::Verifier verifier(plan);
    std::vector<match::ReferenceHits> found(lookups.size());
    for (const auto& candidate : *candidates) {
      ASSERT_LT(candidate.id, lookups.size());
      found[candidate.id] = indexes_of(
          plan, verifier.matches(lookup_of(name_of(candidate), candidate.record_type, candidate.dns_flags, plan)));
    }
    std::size_t hits = 0;
    for (std::size_t i = 0; i < lookups.size(); ++i) {
      const auto expected = match::reference_matches(plan.rules(), {}, lookups[i]);
      hits += expected.rules.size();
      EXPECT_EQ(found[i], expected) << wire_to_presentation(lookups[i].wire()) << "\n" << text;
    }
    EXPECT_GT(hits, 0U) << text;
    if (predicates.every_query) {
      EXPECT_EQ(candidates->size(), lookups.size());
    }
    kept_back += lookups.size() - candidates->size();
  }
};

TEST_F(RulesInTheKernel, WithTheVerifierAreTheReference) {
  std::size_t kept_back = 0;
  for (std::uint32_t seed = 11; seed < 15; ++seed) check_rules(seed, false, kept_back);
  EXPECT_GT(kept_back, 50U);
  report_case("random_rules", "seen");
}

TEST_F(RulesInTheKernel, InAFullScanAreTheReference) {
  std::size_t kept_back = 0;
  for (std::uint32_t seed = 11; seed < 13; ++seed) check_rules(seed, true, kept_back);
  EXPECT_EQ(kept_back, 0U);
  report_case("random_rules_full_scan", "seen");
}

// Texts that some names have in them, and record types: the kernel's automaton is the compiler's.
TEST_F(KernelProperty, KernelFindsTheTextsThatTheTablesFind) {
  for (const std::uint32_t seed : {4U, 5U, 6U}) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    RandomNames random(seed);
    compile::KernelPredicates predicates{.record_types = {type_txt}};
    const ListedName canaries = canary_entry();
    predicates.names.push_back({canaries.wire, canaries.exact, canaries.below});
    std::vector<std::string> wires;
    for (std::size_t i = 0; i < 600; ++i) wires.push_back(random.with_random_case(random.wire(14)));
    for (std::size_t i = 0; i < 40; ++i) {
      std::string name = ascii_lower(wire_to_presentation(wires[random.number() % wires.size()]));
      name.resize(name.rfind('.'));   // all names end in the same label
      if (name.size() < 8) continue;  // a short text is in every name
      const std::size_t length = 3 + random.number() % 5;
      const std::size_t at = random.number() % (name.size() - length + 1);
      predicates.texts.push_back({name.substr(at, length), random.number() % 3 == 0, random.number() % 3 == 0});
    }
    const auto tables = compile::build_kernel_tables(predicates, compile::Seeds::random());
    NSL_ASSERT_OK(harness().publish(tables));

    Payloads payloads;
    std::vector<std::string> wanted;
    for (std::size_t i = 0; i < wires.size(); ++i) {
      const std::uint16_t type = i % 50 == 0 ? type_txt : type_a;
      payloads.push_back(query(wires[i], type, static_cast<std::uint16_t>(i)));
      if (tables.lets_pass(wires[i], type)) wanted.push_back(shown(i, wires[i]));
    }
    expect_candidates(payloads, wanted);
    EXPECT_GT(wanted.size(), 12U);
    EXPECT_LT(wanted.size(), wires.size());
  }
  report_case("random_texts_and_types", "seen");
}

// A listed name, or one below it, before a search suffix; names that end in one and are not listed; anything else.
TEST_F(KernelProperty, KernelReadsNamesWithoutTheirSearchSuffixes) {
  for (const std::uint32_t seed : {7U, 8U, 9U}) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    RandomNames random(seed);
    const auto list = random_list(random, 60);
    std::vector<SearchSuffix> suffixes;
    while (suffixes.size() < 6) {
      const std::string wire = ascii_lower(random.wire(5));
      suffixes.push_back({wire, random.number() % 3 == 0});
      if (random.number() % 2 == 0)
        suffixes.push_back({"\1a" + wire, false});  // as svc.cluster.local lies below cluster.local
    }
    compile::KernelPredicates predicates;
    const ListedName canaries = canary_entry();
    predicates.names.push_back({canaries.wire, canaries.exact, canaries.below});
    for (const auto& name : list) predicates.names.push_back({name.wire, name.exact, name.below});
    for (const auto& suffix : suffixes) {
      predicates.names.push_back(
          {.wire = suffix.wire, .search = suffix.any_label ? NSL_NAME_SEARCH_ANY : NSL_NAME_SEARCH});
    }
    const auto tables = compile::build_kernel_tables(predicates, compile::Seeds::random());
    NSL_ASSERT_OK(harness().publish(tables));

    Payloads payloads;
    std::vector<std::string> wanted;
    std::size_t count = 0, hits_before_suffix = 0;
    for (std::string& wire : random_queries(random, list, 700)) {
      const auto& suffix = suffixes[random.number() % suffixes.size()];
      if (random.number() % 4 != 0) wire.replace(wire.size() - 1, 1, (suffix.any_label ? "\2ns" : "") + suffix.wire);
      if (wire.size() > NSL_NAME_MAX) continue;
      const std::size_t i = count++;
      payloads.push_back(query(wire, type_a, static_cast<std::uint16_t>(i)));
      const bool passes = tables.lets_pass(wire, type_a);
      if (passes) wanted.push_back(shown(i, wire));
      const auto readings = readings_of(ascii_lower(wire), suffixes);
      const bool before_suffix =
          std::ranges::any_of(readings, [&](const NameReading& reading) { return listed(list, reading.wire); });
      hits_before_suffix += before_suffix ? 1 : 0;
      EXPECT_TRUE(passes || (!listed(list, wire) && !before_suffix)) << "kept back: " << wire_to_presentation(wire);
    }
    expect_candidates(payloads, wanted);
    EXPECT_GT(hits_before_suffix, 20U);
    EXPECT_LT(wanted.size(), count);
  }
  report_case("random_search_suffixes", "seen");
}

TEST_F(KernelProperty, KernelPassesWhatTheTablesPass) {
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    for (const std::size_t size : {1U, 20U, 400U, 5000U}) check(seed, size);
  }
  report_case("random_tables_and_names", "seen");
}

}  // namespace
}  // namespace nslookout::kernel_test
