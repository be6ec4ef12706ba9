// Rules by names and parts of names, compiled: what the slow reference (match/reference.h) finds for a lookup, the kernel's
// tables let out, and the verifier with its index finds the same.
//
// Input: two octets of seeds, three names, one or two rules, then at most eight names that are asked for. Values of rules are cut from
// the three names, and names that are asked for are made of them, so that rules and lookups meet.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/dns_name.h"
#include "compile/plan.h"
#include "match/reference.h"
#include "match/verifier.h"
#include "octets.h"
#include "sigma/load.h"

namespace nslookout::fuzz {
namespace {

constexpr std::array<std::string_view, 24> label_texts = {"a",    "b",
                                                          "ab",   "ba",
                                                          "aa",   "evil",
                                                          "test", "com",
                                                          "www",  "A",
                                                          "eViL", "xn--bcher-kva",
                                                          "a.b",  "a\\",
                                                          "*",    "?",
                                                          " ",    "\xC3\xA9",
                                                          "\xFF", "\\046",
                                                          "000",  std::string_view("\0", 1),
                                                          "'",    "aaaaaaaaaaaaaaaaaaaaaaaa"};

std::string take_label(Octets& octets) {
  const std::uint8_t kind = octets.octet();
  if (kind < 240) return std::string(label_texts[kind % label_texts.size()]);
  return std::string(octets.take(1U + kind % 16));
}

void append_label(std::string& wire, const std::string& label) {
  if (label.empty() || wire.size() + label.size() + 2 > max_name_octets) return;
  wire += static_cast<char>(label.size());
  wire += label;
}

std::string take_name(Octets& octets) {
  std::string wire;
  const std::uint8_t kind = octets.octet();
  const unsigned labels = kind < 250 ? kind % 6 : kind % 6 * 25;
  for (unsigned i = 0; i < labels; ++i) append_label(wire, labels > 6 ? "a" : take_label(octets));
  return wire + '\0';
}

// Of the pool's names: the name, a name below it, one above it, or another; in mixed case now and then.
std::string asked_name(Octets& octets, const std::vector<std::string>& pool) {
  const std::uint8_t kind = octets.octet();
  if (kind % 6 == 0) return take_name(octets);
  std::string wire = pool[kind / 6 % pool.size()];
  if (kind % 6 == 1 && wire.size() > 1) wire.erase(0, 1U + static_cast<unsigned char>(wire[0]));
  if (kind % 6 == 2) {
    std::string longer;
    append_label(longer, take_label(octets));
    if (longer.size() + wire.size() <= max_name_octets) wire = longer + wire;
  }
  if (kind % 6 != 3) return wire;
  for (char& octet : wire) {
    // octets of lengths are below 'a'
    if (octet >= 'a' && octet <= 'z' && (octets.octet() & 1) != 0) octet = static_cast<char>(octet - 'a' + 'A');
  }
  return wire;
}

std::string take_value(Octets& octets, const std::vector<std::string>& pool) {
  const std::uint8_t kind = octets.octet();
  std::string text = wire_to_presentation(pool[kind % pool.size()]);
  if ((kind & 4) != 0) text = text.substr(octets.octet() % text.size());
  if ((kind & 8) != 0) text = text.substr(0, 1U + octets.octet() % text.size());
  if ((kind & 16) != 0) text.insert(0, ".");
  if ((kind & 32) != 0) {
    const std::uint8_t place = octets.octet();
    text.insert((place >> 1) % (text.size() + 1), (place & 1) != 0 ? "*" : "?");
  }
  if ((kind & 64) != 0) text.insert(0, "*");
  if ((kind & 128) != 0) text += (octets.octet() & 1) != 0 ? "*" : ".";
  return text;
}

// Single quotes of YAML; Sigma eats backslashes, so that they are doubled, mostly.
std::string quoted(const std::string& text, bool doubled) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || (c == '\\' && doubled)) out += c;
    out += c;
  }
  return out + "'";
}

std::string take_test(Octets& octets, const std::vector<std::string>& pool) {
  constexpr std::array<std::string_view, 12> keys = {"query",
                                                     "query|endswith",
                                                     "query|contains",
                                                     "QueryName|startswith",
                                                     "query|cased",
                                                     "query|endswith|all",
                                                     "query|contains|all",
                                                     "query|neq",
                                                     "query|endswith|neq",
                                                     "query|contains|cased",
                                                     "query|startswith|cased",
                                                     "query|contains|neq"};
  constexpr std::array<std::string_view, 8> others = {
      "record_type: TXT",   "query_length|gt: 3", "parent_domain: test",    "query: null",
      "Image|exists: true", "RD: true",           "subdomain|exists: true", "query|re: 'a+b'"};
  const std::uint8_t kind = octets.octet();
  if (kind >= 224) return std::string(others[kind % others.size()]);
  std::string test = std::string(keys[kind % keys.size()]) + ": [";
  const unsigned values = 1U + octets.octet() % 3;
  for (unsigned i = 0; i < values; ++i) {
    const bool doubled = octets.octet() % 4 != 0;
    test += (i > 0 ? ", " : "") + quoted(take_value(octets, pool), doubled);
  }
  return test + "]";
}

std::string take_rule(Octets& octets, const std::vector<std::string>& pool) {
  constexpr std::array<std::string_view, 8> conditions = {"s0",     "s0 and s1", "s0 or s1",  "s0 and not s1",
                                                          "not s0", "1 of s*",   "all of s*", "not (s0 or s1)"};
  std::string rule = "title: t\nlogsource: {category: dns}\ndetection:\n";
  for (const char* name : {"  s0:\n", "  s1:\n"}) {
    rule += name;
    const unsigned maps = octets.octet() % 3;  // none: one map that is no list
    for (unsigned i = 0; i < std::max(1U, maps); ++i) {
      rule += (maps > 0 ? "    - " : "    ") + take_test(octets, pool) + "\n";
    }
  }
  return rule + "  condition: " + std::string(conditions[octets.octet() % conditions.size()]) + "\n";
}

match::ReferenceHits hits_of(const compile::Plan& plan, const std::vector<match::Hit>& hits) {
  match::ReferenceHits indexes;
  for (const match::Hit& hit : hits) {
    indexes.rules.push_back(static_cast<std::size_t>(hit.rule - plan.rules().data()));
  }
  return indexes;
}

void check(Octets octets) {
  const compile::Seeds seeds{octets.octet() * 0x9E3779B97F4A7C15U, octets.octet() * 0xC2B2AE3D27D4EB4FU};
  std::vector<std::string> pool;
  for (int i = 0; i < 3; ++i) pool.push_back(take_name(octets));
  std::vector<sigma::Rule> rules;
  const unsigned count = 1U + octets.octet() % 2;
  for (unsigned i = 0; i < count; ++i) {
    sigma::RuleSet set = sigma::parse_rules(take_rule(octets, pool), "fuzzed.yml");
    std::ranges::move(set.rules, std::back_inserter(rules));
  }
  if (rules.empty()) return;
  const compile::Plan plan = compile::make_plan(std::move(rules), {});
  const compile::KernelTables tables = compile::build_kernel_tables(plan.predicates(), seeds);
  const match::Verifier verifier(plan);
  for (int asked = 0; asked < 8 && !octets.empty(); ++asked) {
    const std::string wire = asked_name(octets, pool);
    const std::uint16_t record_type = octets.octet() % 4 == 0 ? 16 : 1;
    match::Query query = match::Query::of_wire(wire);
    query.set_record_type(record_type);
    query.set_flags(0x0100);
    query.read_also({});
    const match::ReferenceHits expected = match::reference_matches(plan.rules(), plan.lists(), query);
    require(hits_of(plan, verifier.matches(query)) == expected, "the verifier finds what the reference finds");
    require(expected.rules.empty() || tables.lets_pass(wire, record_type, 0x0100),
            "the tables let out what the reference finds");
    for (const std::size_t rule : expected.rules) {
      require(plan.rule_plans()[rule].reach != compile::Reach::never, "a rule that can never be true never is");
    }
  }
}

}  // namespace
}  // namespace nslookout::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  nslookout::fuzz::check({octets, size});
  return 0;
}
