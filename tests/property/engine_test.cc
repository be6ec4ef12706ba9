// Random rules, lists and names: the verifier with its index says what the slow reference says, and the plan's names
// cover whatever the reference finds. The same holds of the kernel's tables, which are made of those names.
//
// The alphabets are small, so that names and rules meet often. NSLOOKOUT_PROPERTY_SEED and NSLOOKOUT_PROPERTY_ROUNDS
// repeat or extend a run; a failure prints the seed, the rules and the name.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/dns_name.h"
#include "compile/plan.h"
#include "match/reference.h"
#include "match/verifier.h"
#include "sigma/load.h"
#include "tests/property/environment.h"

namespace nslookout::match {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(engine_); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937_64 engine_;
};

std::string random_label(Random& random) {
  static const std::vector<std::string> usual = {"a", "b", "ab", "ba", "aa", "evil", "test", "com", "www", "A", "eViL"};
  static const std::vector<std::string> odd = {".",    "\\",  "a.b",      "*",     "?",   std::string(1, '\0'),
                                               "\xFF", "a b", "\xC3\xA9", "\\046", "000", std::string(63, 'a'),
                                               "'",    "#"};
  return random.one_in(6) ? random.pick(odd) : random.pick(usual);
}

std::string random_wire(Random& random) {
  const std::size_t labels = random.one_in(20) ? random.below(128) : random.below(6);
  std::string wire;
  for (std::size_t i = 0; i < labels; ++i) {
    const std::string label = labels > 10 ? std::string(1, "ab"[random.below(2)]) : random_label(random);
    if (wire.size() + label.size() + 2 > max_name_octets) break;
    wire += static_cast<char>(label.size());
    wire += label;
  }
  return wire + '\0';
}

// The names of one round: few, so that what a rule says is asked for.
using Pool = std::vector<std::string>;

Pool random_pool(Random& random) {
  Pool pool;
  for (int i = 0; i < 5; ++i) pool.push_back(random_wire(random));
  return pool;
}

// A name of the pool, one below it, one above it, or any name; in mixed case now and then.
std::string asked_wire(Random& random, const Pool& pool) {
  std::string wire = random.pick(pool);
  const std::size_t kind = random.below(6);
  if (kind == 0) return random_wire(random);
  if (kind == 1 && wire[0] != '\0') wire.erase(0, 1 + static_cast<unsigned char>(wire[0]));
  if (kind == 2) {
    const std::string label = random_label(random);
    const std::string longer = static_cast<char>(label.size()) + label + wire;
    if (longer.size() <= max_name_octets) wire = longer;
  }
  if (kind != 3) return wire;
  for (char& octet : wire) {
    // Length octets are below 'a'.
    if (octet >= 'a' && octet <= 'z' && random.one_in(2)) octet = static_cast<char>(octet - 'a' + 'A');
  }
  return wire;
}

// Text for a rule's value: a piece of some name's presentation form, with wildcards and trailing dots thrown in.
std::string random_value(Random& random, const Pool& pool) {
  std::string text = wire_to_presentation(random.pick(pool));
  if (random.one_in(2)) return random.one_in(2) ? text : "." + text;
  if (random.one_in(3)) text = text.substr(random.below(text.size()));
  if (random.one_in(6)) text = text.substr(0, 1 + random.below(text.size()));
  if (random.one_in(3)) text.insert(0, ".");
  if (random.one_in(8)) text += ".";
  if (random.one_in(4)) text.insert(random.below(text.size() + 1), random.one_in(2) ? "*" : "?");
  if (random.one_in(5)) text.insert(0, "*");
  if (random.one_in(20)) text = random.pick(std::vector<std::string>{"", ".", "..", "*", "?", "\\", "\\."});
  return text;
}

// Sigma eats backslashes, so most values double them and keep their meaning as presentation form.
std::string quoted(Random& random, std::string text) {
  std::string out = "'";
  const bool doubled = !random.one_in(4);
  for (const char c : text) {
    if (c == '\'' || (c == '\\' && doubled)) out += c;
    out += c;
  }
  return out + "'";
}

// A regular expression over the letters of the names; what std::regex and RE2 both read.
std::string random_regex(Random& random, const Pool& pool) {
  static const std::vector<std::string> pieces = {"a",   "b",      "ab?",     "[ab]+", "(a|b)*", ".",    "e.il",
                                                  "\\.", "[^a-m]", "(?:ba)+", "test",  "com",    "a{2}", "A"};
  if (random.one_in(4)) {
    std::string literal;
    for (const char c : wire_to_presentation(random.pick(pool))) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) literal += c;
      if (c == '.') literal += "\\.";
    }
    return literal.empty() ? "a" : literal.substr(0, 60);
  }
  std::string regex = random.one_in(4) ? "^" : "";
  const std::size_t count = 1 + random.below(4);
  for (std::size_t i = 0; i < count; ++i) regex += random.pick(pieces);
  return random.one_in(4) ? regex + "$" : regex;
}

// One of the tests whose key and value belong together.
std::string special_test(Random& random, const Pool& pool) {
  const auto pick = [&](const std::vector<std::string>& from) { return random.pick(from); };
  switch (random.below(14)) {
    case 12:
      return pick({"Z", "Z|neq", "Z|gt", "Z|all", "Z|contains"}) + ": " +
             pick({"0", "2", "'0'", "[0, 1]", "[2, 3]", "null"});
    case 11:
      return pick({"RD", "RD|neq"}) + ": " + pick({"true", "false", "'true'", "'F*'", "[true, false]"});
    case 0:
      return "Image|endswith: " + pick({"/node", "/curl"});
    case 1:
      return "record_type: " + pick({"TXT", "16", "'a'", "null", "TYPE65280"});
    case 2:
      return pick({"answers: x", "rcode: NXDOMAIN", "answers: null", "query: null", "User: null",
                   "answers|exists: true", "answers|exists: false", "Image|exists: true", "query|exists: true",
                   "query|exists: false", "subdomain|exists: true", "Hashes|exists: false", "Hashes: x"});
    case 3:
      return pick({"query|re", "query|re|i", "query|re|neq", "query|re|all", "Image|re", "CommandLine|re|s"}) + ": ['" +
             random_regex(random, pool) + "', '" + random_regex(random, pool) + "']";
    case 4:
      return pick({"query_length", "record_type", "ProcessId"}) + "|" + pick({"gt", "gte", "lt", "lte", "gt|neq"}) +
             ": " + pick({"1", "3", "8", "15.5", "16"});
    case 5:
      return pick({"answers|cidr", "answers|cidr|neq", "server_ip|cidr"}) + ": " +
             pick({"10.0.0.0/8", "10.64.0.0/10", "'2001:db8::/33'", "'::ffff:10.0.0.0/104'", "'::/0'", "0.0.0.0/0"});
    case 6:
      return pick({"query", "User", "parent_domain"}) + "|fieldref" +
             pick({"", "|contains", "|startswith", "|endswith"}) + pick({"", "|cased", "|neq"}) + ": " +
             pick({"query", "User", "parent_domain", "subdomain", "Hashes"});
    case 7:
      return "UtcTime|" + pick({"minute", "hour", "day", "week", "month", "year"}) + pick({"", "|gt", "|lte"}) + ": " +
             pick({"1", "12", "23", "53", "2026"});
    case 8:
      return pick({"'|contains': ", "'|all': ", "'': ", "'|re': "}) + pick({"evil", "node", "[a, b]", "x"});
    case 9:
      return pick({"query_etld_plus_one: ", "parent_domain: ", "parent_domain|endswith: ", "subdomain: "}) +
             quoted(random, random_value(random, pool));
    case 10:
      return pick({"CommandLine|windash|contains: ' -a'", "CommandLine|base64offset|contains: evil",
                   "CommandLine|wide|base64offset|contains: ab", "query|windash: -a.test",
                   "query|base64|contains: ab"});
    default:
      return pick({"ProcessId: 16", "ProcessId: '16'", "ProcessId|contains: 6", "query: 16", "query|re|contains: a"});
  }
}

std::string random_test(Random& random, const Pool& pool) {
  static const std::vector<std::string> keys = {"query",
                                                "query",
                                                "query|endswith",
                                                "query|endswith",
                                                "QueryName|startswith",
                                                "query|contains",
                                                "query|cased",
                                                "query|endswith|all",
                                                "query|contains|all",
                                                "query|neq",
                                                "query|endswith|neq"};
  if (random.one_in(3)) return special_test(random, pool);
  std::string test = random.pick(keys) + ": [";
  const std::size_t values = 1 + random.below(4);
  for (std::size_t i = 0; i < values; ++i) test += (i > 0 ? ", " : "") + quoted(random, random_value(random, pool));
  return test + "]";
}

std::string random_condition(Random& random, std::size_t selections, std::size_t depth) {
  const std::size_t kind = random.below(depth > 3 ? 2 : 7);
  if (kind == 0) return random.pick(std::vector<std::string>{"1 of s*", "all of s*", "1 of them", "1 of none*"});
  if (kind <= 2) return "s" + std::to_string(random.below(selections));
  if (kind == 3) return "not (" + random_condition(random, selections, depth + 1) + ")";
  return "(" + random_condition(random, selections, depth + 1) + (kind == 4 ? " or " : " and ") +
         random_condition(random, selections, depth + 1) + ")";
}

std::string random_rule(Random& random, const Pool& pool) {
  const std::size_t selections = 1 + random.below(3);
  std::string rule = "title: t\nlogsource: {category: dns}\ndetection:\n";
  for (std::size_t i = 0; i < selections; ++i) {
    rule += "  s" + std::to_string(i) + ":\n";
    const bool list = random.one_in(3);
    const std::size_t maps = list ? 1 + random.below(3) : 1;
    for (std::size_t m = 0; m < maps; ++m) rule += (list ? "    - " : "    ") + random_test(random, pool) + "\n";
  }
  return rule + "  condition: " + random_condition(random, selections, 0) + "\n";
}

std::vector<sigma::Rule> random_rules(Random& random, const Pool& pool, std::string& text) {
  std::vector<sigma::Rule> rules;
  while (rules.size() < 4) {
    const std::string rule = random_rule(random, pool);
    sigma::RuleSet set = sigma::parse_rules(rule, "random.yml");
    for (sigma::Rule& made : set.rules) {
      rules.push_back(std::move(made));
      text += rule + "---\n";
    }
  }
  return rules;
}

std::vector<lists::NameList> random_lists(Random& random, const Pool& pool, std::string& text) {
  std::vector<lists::NameList> lists(random.below(3));
  for (lists::NameList& list : lists) {
    const bool suffix = random.one_in(2);
    list.id = "list/random";
    const std::size_t names = 1 + random.below(10);
    for (std::size_t i = 0; i < names; ++i) {
      const std::string wire = ascii_lower(asked_wire(random, pool));
      if (wire.size() == 1) continue;
      const bool only_below = random.one_in(4);
      const bool allowed = random.one_in(4);
      if (allowed) {
        list.table.allow(wire, !only_below, true);
      } else {
        list.table.add(wire, !only_below, suffix || only_below);
      }
      text += std::string(allowed  ? "# allow "
                          : suffix ? "# suffix "
                                   : "# exact ") +
              (only_below ? "*." : "") + wire_to_presentation(wire) + "\n";
    }
  }
  return lists;
}

// Ends of names of the pool, so that rules are about names below them, too.
std::vector<SearchSuffix> random_suffixes(Random& random, const Pool& pool, std::string& text) {
  std::vector<SearchSuffix> suffixes;
  const std::size_t count = random.one_in(3) ? 0 : random.below(5);
  for (std::size_t i = 0; i < count; ++i) {
    std::string wire = ascii_lower(asked_wire(random, pool));
    while (label_count(wire) > max_search_suffix_labels - 1 || (wire.size() > 1 && random.one_in(3))) {
      wire.erase(0, 1 + static_cast<unsigned char>(wire[0]));
    }
    if (wire.size() == 1) continue;
    suffixes.push_back({wire, random.one_in(3)});
    text += "# search suffix " + search_suffix_text(suffixes.back()) + "\n";
  }
  return suffixes;
}

std::string with_search_suffix(Random& random, std::string wire, const std::vector<SearchSuffix>& suffixes) {
  if (suffixes.empty() || random.one_in(3)) return wire;
  const SearchSuffix& suffix = random.pick(suffixes);
  std::string longer = wire.substr(0, wire.size() - 1);
  if (suffix.any_label) {
    const std::string label = random_label(random);
    longer += static_cast<char>(label.size()) + label;
  }
  longer += suffix.wire;
  return longer.size() <= max_name_octets ? longer : wire;
}

void add_response(Random& random, Query& query) {
  if (random.one_in(2)) query.set_rcode(random.pick(std::vector<std::uint16_t>{0, 3}));
  if (random.one_in(3)) return;
  query.set_values("answers", random.one_in(4) ? std::vector<std::string>{}
                                               : std::vector<std::string>{"x", random.pick(std::vector<std::string>{
                                                                                   "10.1.2.3", "2001:db8:8000::1"})});
}

Query random_query(Random& random, const Pool& pool, const std::vector<SearchSuffix>& suffixes, bool answered) {
  const auto pick = [&](const std::vector<std::string>& from) { return random.pick(from); };
  Query query = Query::of_wire(with_search_suffix(random, asked_wire(random, pool), suffixes));
  if (random.one_in(2)) query.set(sigma::Field::image, random.one_in(2) ? "/usr/bin/node" : "/usr/bin/CURL");
  if (random.one_in(2)) query.set_record_type(random.pick(std::vector<std::uint16_t>{1, 16, 65280}));
  query.set_flags(random.pick(std::vector<std::uint16_t>{0x0100, 0x0100, 0x0000, 0x0120, 0x0110, 0x0170, 0x0040}));
  if (random.one_in(3)) query.set(sigma::Field::process_id, pick({"16", "16.0", "3", "x", ""}));
  if (random.one_in(3)) {
    query.set(sigma::Field::command_line,
              pick({"x -a", "x /A b", "x\nab", "ZXZpbA==", "eGV2aWw=", "YQBiAA==", "e\nil"}));
  }
  if (random.one_in(3)) query.set(sigma::Field::user, wire_to_presentation(asked_wire(random, pool)));
  if (random.one_in(3))
    query.set(sigma::Field::server_address, pick({"10.1.2.3", "::ffff:10.65.0.1", "2001:db8::1", "x"}));
  if (random.one_in(3)) {
    query.set(sigma::Field::time, pick({"2026-12-31T23:59:58.5Z", "2027-01-01 00:30:00+01:00", "1774999998", "then"}));
  }
  if (answered) add_response(random, query);
  query.read_also(readings_of(query.wire(), suffixes));
  return query;
}

bool covers(const compile::KernelName& name, std::string_view wire) {
  if (name.exact && name.wire == wire) return true;
  if (!name.below || wire.size() <= name.wire.size()) return false;
  for (std::string_view rest = wire; rest[0] != '\0';) {
    rest.remove_prefix(1 + static_cast<unsigned char>(rest[0]));
    if (rest == name.wire) return true;
  }
  return false;
}

// Whether a text is in the name, by looking for it; a name with an escape in it may have any text.
bool has_text(const std::string& name, const compile::NameText& text) {
  if (name.find('\\') != std::string::npos) return true;
  if (text.text.size() > name.size()) return false;
  if (text.at_start && text.at_end) return name == text.text;
  if (text.at_start) return name.starts_with(text.text);
  return text.at_end ? name.ends_with(text.text) : name.find(text.text) != std::string::npos;
}

bool covers(const compile::KernelPredicates& predicates, const Query& query) {
  const auto covers_it = [&](const Query& other) { return covers(predicates, other); };
  if (std::ranges::any_of(query.read_otherwise(), covers_it)) return true;
  const std::string name = wire_to_presentation(query.wire());
  bool named = false;
  predicates.for_each_name([&](const compile::KernelName& listed) { named = named || covers(listed, query.wire()); });
  return predicates.every_query || named ||
         std::ranges::any_of(predicates.texts, [&](const auto& text) { return has_text(name, text); }) ||
         std::ranges::any_of(predicates.record_types,
                             [&](std::uint16_t type) { return query.record_type() == type; }) ||
         predicates.flags.holds_for(*query.flags());
}

ReferenceHits hits_of(const compile::Plan& plan, const std::vector<Hit>& hits) {
  ReferenceHits indexes;
  for (const Hit& hit : hits) {
    if (hit.rule != nullptr) {
      indexes.rules.push_back(static_cast<std::size_t>(hit.rule - plan.rules().data()));
    } else {
      indexes.lists.push_back(static_cast<std::size_t>(hit.list - plan.lists().data()));
    }
  }
  return indexes;
}

// A second opinion: every rule and list, without an index.
ReferenceHits full_scan(const compile::Plan& plan, const Query& query) {
  ReferenceHits hits;
  for (std::size_t i = 0; i < plan.rules().size(); ++i) {
    if (evaluate(plan.rules()[i], query)) hits.rules.push_back(i);
  }
  for (std::size_t i = 0; i < plan.lists().size(); ++i) {
    const lists::NameTable& table = plan.lists()[i].table;
    const auto listed = [&](const Query& q) { return !q.wire().empty() && !table.covering(q.wire()).wire.empty(); };
    if (listed(query) || std::ranges::any_of(query.read_otherwise(), listed)) hits.lists.push_back(i);
  }
  return hits;
}

TEST(Engine, VerifierEqualsReferenceAndThePlanCoversIt) {
  const std::uint64_t first_seed = from_environment("NSLOOKOUT_PROPERTY_SEED", 1);
  const std::uint64_t rounds = from_environment("NSLOOKOUT_PROPERTY_ROUNDS", 2000);
  std::size_t hits = 0;
  std::size_t hits_by_name = 0;
  std::size_t hits_by_reading = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + rounds; ++seed) {
    Random random(seed);
    std::string text;
    const Pool pool = random_pool(random);
    std::vector<sigma::Rule> rules = random_rules(random, pool, text);
    compile::Plan plan = compile::make_plan(std::move(rules), random_lists(random, pool, text));
    plan.set_search_suffixes(random_suffixes(random, pool, text));
    const Verifier verifier(plan);
    const compile::KernelTables tables = compile::build_kernel_tables(plan.predicates(), {seed, seed * 31});
    for (int i = 0; i < 40; ++i) {
      const Query query = random_query(random, pool, plan.search_suffixes(), random.one_in(12));
      const ReferenceHits expected = reference_matches(plan.rules(), plan.lists(), query);
      SCOPED_TRACE("seed " + std::to_string(seed) + ", name " + wire_to_presentation(query.wire()) + "\n" + text);
      ASSERT_EQ(hits_of(plan, verifier.matches(query)), expected);
      ASSERT_EQ(full_scan(plan, query), expected);
      hits += expected.rules.size() + expected.lists.size();
      if (!query.read_otherwise().empty()) {
        const Query without = query.with_name(query.wire());
        hits_by_reading += reference_matches(plan.rules(), plan.lists(), without) == expected ? 0 : 1;
      }
      if (query.beyond_the_sensor()) continue;  // no lookup of the sensor has such a field
      for (const std::size_t rule : expected.rules) {
        const compile::RulePlan& rule_plan = plan.rule_plans()[rule];
        ASSERT_NE(rule_plan.reach, compile::Reach::never);
        hits_by_name += rule_plan.reach == compile::Reach::by_name ? 1 : 0;
      }
      if (!expected.rules.empty() || !expected.lists.empty()) {
        ASSERT_TRUE(covers(plan.predicates(), query));
        ASSERT_TRUE(tables.lets_pass(query.wire(), query.record_type().value_or(1), *query.flags()));
      }
      for (std::size_t rule = 0; rule < plan.rules().size(); ++rule) {
        const compile::RulePlan& rule_plan = plan.rule_plans()[rule];
        if (rule_plan.reach == compile::Reach::every_query) continue;
        compile::KernelPredicates predicates{
            .texts = rule_plan.texts, .record_types = rule_plan.record_types, .flags = rule_plan.flags};
        for (const compile::Witness& witness : rule_plan.witnesses) {
          predicates.names.push_back({witness.wire, witness.exact, witness.below});
        }
        const bool covered = covers(predicates, query);
        const bool matched = std::find(expected.rules.begin(), expected.rules.end(), rule) != expected.rules.end();
        ASSERT_TRUE(!matched || covered) << "rule " << rule;
        if (rule_plan.kernel_decides) {
          ASSERT_EQ(matched, covered) << "rule " << rule;
        }
      }
    }
  }
  std::cout << rounds << " rule sets, " << hits << " hits, " << hits_by_name << " of them found by name; "
            << hits_by_reading << " lookups with hits of the name before a search suffix\n";
  // A generator that never meets its own rules would prove nothing.
  EXPECT_GT(hits_by_name, rounds);
  EXPECT_GT(hits_by_reading, rounds / 10);
}

// What is said of a query before its response, and then with it of the rules left open, is what is true with it.
TEST(Engine, TwoStepsEqualOne) {
  const std::uint64_t first_seed = from_environment("NSLOOKOUT_PROPERTY_SEED", 1);
  const std::uint64_t rounds = from_environment("NSLOOKOUT_PROPERTY_ROUNDS", 2000) / 4;
  std::size_t before_response = 0;
  std::size_t with_response = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + rounds; ++seed) {
    Random random(seed);
    const Pool pool = random_pool(random);
    std::string text;
    std::vector<sigma::Rule> rules = random_rules(random, pool, text);
    compile::Plan plan = compile::make_plan(std::move(rules), {});
    plan.set_search_suffixes(random_suffixes(random, pool, text));
    const Verifier verifier(plan);
    for (int i = 0; i < 20; ++i) {
      Query query = random_query(random, pool, {}, false);
      Query answered = query;
      add_response(random, answered);
      for (Query* each : {&query, &answered}) each->read_also(readings_of(each->wire(), plan.search_suffixes()));
      EarlyHits early = verifier.matches_before_response(query);
      const std::vector<Hit> late = verifier.matches_of(early.open, answered);
      before_response += early.hits.size();
      with_response += late.size();
      std::vector<Hit> all = early.hits;
      all.insert(all.end(), late.begin(), late.end());
      ReferenceHits hits = hits_of(plan, all);
      std::ranges::sort(hits.rules);
      SCOPED_TRACE("seed " + std::to_string(seed) + ", name " + wire_to_presentation(query.wire()) + "\n" + text);
      ASSERT_EQ(hits, reference_matches(plan.rules(), plan.lists(), answered));
    }
  }
  std::cout << rounds << " rule sets, hits before the response " << before_response << ", with it " << with_response
            << "\n";
  EXPECT_GT(before_response, rounds);
  EXPECT_GT(with_response, rounds / 4);
}

}  // namespace
}  // namespace nslookout::match
