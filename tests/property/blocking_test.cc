// The kernel's verdict is Sigma's: for random rules that may block, lists and exceptions, a name is blocked by the tables if
// and only if the reference evaluator finds a blocking rule or list for it and nothing allows it.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/dns_name.h"
#include "compile/plan.h"
#include "match/query.h"
#include "match/reference.h"
#include "sigma/load.h"

namespace nslookout {
namespace {

constexpr int sets = 20;
constexpr int rules_of_a_set = 50;
constexpr int names_of_a_set = 1000;

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_); }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }

  // Few labels, so that names are often those of rules, above or below them.
  std::string name() {
    static const std::vector<std::string> labels = {"a", "b", "aa", "evil", "cdn"};
    std::string text = chance(50) ? "test" : "example";
    for (std::size_t left = below(5); left > 0; --left) text = labels[below(labels.size())] + "." + text;
    return text;
  }

 private:
  std::mt19937 engine_;
};

std::string random_rule(Random& random, int number) {
  std::string test;
  switch (random.below(6)) {
    case 0:
      test = fmt::format("query: {}", random.name());
      break;
    case 1:
      test = fmt::format("query: [{}, {}]", random.name(), random.name());
      break;
    case 2:
      test = fmt::format("query|endswith: .{}", random.name());
      break;
    case 3:
      test = fmt::format("query: '*.{}'", random.name());
      break;
    case 4:
      test = fmt::format("query|contains: {}", random.name());
      break;
    default:
      test = fmt::format("query|endswith: {}", random.name());
  }
  const char* level = random.chance(70) ? "high" : "low";
  const char* condition = random.chance(80) ? "s" : "s or t";
  return fmt::format(
      "---\ntitle: r{0}\nid: 0c1d9d3e-6f2a-4f35-9d1f-{0:012}\nlevel: {1}\nlogsource: {{category: dns}}\n"
      "detection:\n  s: {{{2}}}\n  t: {{query: {3}}}\n  condition: {4}\n",
      number, level, test, random.name(), condition);
}

lists::NameList random_list(Random& random, const std::string& id, const std::string& level) {
  lists::NameList list;
  list.id = "list/" + id;
  list.level = level;
  for (int i = 0; i < 3; ++i) {
    list.table.add(*presentation_to_wire(random.name()), random.chance(70), random.chance(50));
    if (random.chance(30)) list.table.allow(*presentation_to_wire(random.name()), random.chance(70), random.chance(50));
  }
  return list;
}

bool allows(const lists::NameTable& table, const std::string& wire, bool exceptions) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    const lists::NameEntry entry = table.entry(i);
    const bool same = wire == entry.wire;
    const bool below = wire.size() > entry.wire.size() && wire.ends_with(entry.wire);
    // Whole labels alone: a wire name's suffix that begins at one of its labels.
    bool at_label = false;
    for (std::size_t at = 0; at < wire.size() && wire[at] != 0; at += static_cast<unsigned char>(wire[at]) + 1) {
      at_label = at_label || at == wire.size() - entry.wire.size();
    }
    if (same && (exceptions ? entry.allow_exact : entry.exact)) return true;
    if (below && at_label && (exceptions ? entry.allow_below : entry.below)) return true;
  }
  return false;
}

// A list blocks what any of its entries names: its own exceptions are everybody's, and win.
bool expected(const compile::Plan& plan, const std::string& wire) {
  for (const lists::NameList& list : plan.lists()) {
    if (allows(list.table, wire, true)) return false;
  }
  for (const lists::NameList& list : plan.blocking().allowed) {
    if (allows(list.table, wire, false)) return false;
  }
  const auto hits = match::reference_matches(plan.rules(), {}, match::Query::of_wire(wire));
  for (const std::size_t rule : hits.rules) {
    if (plan.blocking().rules[rule].kind == compile::BlockDecision::Kind::blocks) return true;
  }
  for (std::size_t i = 0; i < plan.lists().size(); ++i) {
    if (plan.blocking().lists[i].kind == compile::BlockDecision::Kind::blocks &&
        allows(plan.lists()[i].table, wire, false)) {
      return true;
    }
  }
  return plan.blocking().only_allowed;
}

TEST(BlockingProperty, TheTablesBlockWhatTheReferenceSays) {
  std::size_t blocked = 0;
  std::size_t refused = 0;
  for (int set = 0; set < sets; ++set) {
    Random random(static_cast<std::uint32_t>(set) + 1);
    std::string text;
    for (int rule = 0; rule < rules_of_a_set; ++rule) text += random_rule(random, rule);
    auto loaded = sigma::parse_rules(text, "random.yml");
    ASSERT_EQ(loaded.rules.size(), static_cast<std::size_t>(rules_of_a_set)) << text;
    std::vector<lists::NameList> lists;
    lists.push_back(random_list(random, "high", "high"));
    lists.push_back(random_list(random, "low", "low"));
    std::vector<lists::NameList> allowed;
    if (random.chance(50)) allowed.push_back(random_list(random, "allowed", "high"));
    compile::Plan plan = compile::make_plan(std::move(loaded.rules), std::move(lists));
    plan.set_blocking({}, std::move(allowed), random.chance(20));
    for (const auto& decision : plan.blocking().rules) {
      refused += decision.kind == compile::BlockDecision::Kind::refused ? 1 : 0;
    }
    const auto tables = compile::build_kernel_tables(plan.predicates(), compile::Seeds{random.below(1u << 30), 7});
    for (int i = 0; i < names_of_a_set; ++i) {
      const std::string name = random.name();
      const std::string wire = *presentation_to_wire(name);
      const bool verdict = tables.blocks_name(wire);
      ASSERT_EQ(verdict, expected(plan, wire)) << "set " << set << ", " << name;
      ASSERT_TRUE(!verdict || tables.lets_pass(wire, 1)) << "what is not let out is never judged: " << name;
      blocked += verdict ? 1 : 0;
    }
  }
  EXPECT_GT(blocked, 1000U);
  EXPECT_GT(refused, 100U);
}

}  // namespace
}  // namespace nslookout
