// corpus_cost: which part of the names a corpus of rules lets out of the kernel, and how fast the verifier is with
// those rules; status 1 when a bound is missed. The corpus is SigmaHQ's rules about DNS, which are no part of the tree: without
// them there is nothing to measure. Needs root.
//
// Every name is asked for (type A) by running the sensor's own program on a packet. Rules that force every query out of the
// kernel are named and left out of the count: with them it would be all.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "compile/plan.h"
#include "feed.h"
#include "lists/plain.h"
#include "loaded_sensor.h"
#include "match/verifier.h"
#include "measure.h"
#include "packet.h"
#include "report.h"
#include "tests/unit/shared_material.h"
#include "wire.h"

namespace nslookout::bench {
namespace {

constexpr double most_percent = 1.0;  // of ordinary names leave the kernel
constexpr std::size_t verified_lookups = 20'000;
constexpr std::size_t told_rules = 5;

using Names = std::vector<std::string>;  // wire form

Names names_of(const Feed& feed) {
  lists::NameTable table;
  (void)lists::parse_plain(feed.text, lists::Scope::exact, table);
  Names names;
  for (std::size_t i = 0; i < table.size(); ++i) names.emplace_back(table.entry(i).wire);
  return names;
}

struct ClosePipe {
  void operator()(FILE* pipe) const { pclose(pipe); }
};

// The hosts of the home pages of all packages that apt knows: nobody listed them for being bad. Empty where there is no apt.
Feed ordinary_hosts() {
  const std::unique_ptr<FILE, ClosePipe> packages(popen("apt-cache dumpavail 2>/dev/null", "r"));
  Feed feed{.text = {}, .real = true};
  std::array<char, 4096> buffer{};
  while (packages && std::fgets(buffer.data(), buffer.size(), packages.get()) != nullptr) {
    const std::string_view line = buffer.data();
    const std::size_t scheme = line.find("://");
    if (!line.starts_with("Homepage:") || scheme == std::string_view::npos) continue;
    const std::string_view rest = line.substr(scheme + 3);
    feed.text.append(rest.substr(0, rest.find_first_of("/:?# \n"))).push_back('\n');
  }
  return feed;
}

// What the plan's rules need, but for those that need everything; prints which those are.
compile::KernelPredicates bounded_predicates(const compile::Plan& plan, std::vector<std::string>& forcing) {
  for (std::size_t i = 0; i < plan.rules().size(); ++i) {
    if (plan.rule_plans()[i].reach != compile::Reach::every_query) continue;
    forcing.push_back(plan.rules()[i].title);
    fmt::print("  forces every query out: {} (the kernel {})\n", plan.rules()[i].title, plan.rule_plans()[i].kernel);
  }
  compile::KernelPredicates predicates = plan.predicates();
  predicates.every_query = false;
  return predicates;
}

// For how many of the names a query leaves the kernel.
Result<std::uint64_t> let_out(const LoadedSensor& sensor, const Names& names) {
  const auto before = sensor.let_out();
  if (!before) return before;
  for (const std::string& wire : names) {
    const Case one{sensor.program(), udp_packet(53, kernel_test::query(wire)), nullptr, {}};
    if (const auto ran = run(one, 1); !ran) return fail(ran.error());
  }
  const auto after = sensor.let_out();
  if (!after) return after;
  return *after - *before;
}

struct Verified {
  double lookups_a_second = 0;
  std::size_t hits = 0;
};

// Lookups that all rules are asked about, as if each had left the kernel.
Verified verify(const compile::Plan& plan, const Names& names) {
  const match::Verifier verifier(plan);
  const std::size_t count = std::min(names.size(), verified_lookups);
  Verified verified;
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    match::Query query = match::Query::of_wire(names[i * (names.size() / count)]);
    query.set_record_type(1);
    verified.hits += verifier.matches(query).size();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  verified.lookups_a_second = static_cast<double>(count) / took.count();
  return verified;
}

// The rules to which most of these names are due.
void print_causes(const compile::Plan& plan, const Names& let_out) {
  std::vector<std::pair<std::size_t, std::string_view>> causes;
  for (std::size_t i = 0; i < plan.rules().size(); ++i) {
    const compile::RulePlan& rule = plan.rule_plans()[i];
    if (rule.reach != compile::Reach::by_name) continue;
    compile::KernelPredicates predicates{.texts = rule.texts, .record_types = rule.record_types, .flags = rule.flags};
    for (const compile::Witness& name : rule.witnesses) predicates.names.push_back({name.wire, name.exact, name.below});
    const auto tables = compile::build_kernel_tables(predicates, {1, 2});
    const auto due = std::ranges::count_if(let_out, [&](const std::string& wire) { return tables.lets_pass(wire, 1); });
    if (due > 0) causes.emplace_back(due, plan.rules()[i].title);
  }
  std::ranges::sort(causes, std::greater());
  causes.resize(std::min(causes.size(), told_rules));
  for (const auto& [due, title] : causes) fmt::print("    {:>7} due to {}\n", due, title);
}

struct Set {
  std::string_view what;
  Names names;
  bool ordinary = false;  // the bound is for these: of the others many are what the rules are after
};

// Percent of these names that some rule matches, but for those that force every query out: up to so many of them, evenly chosen.
double percent_matched(const compile::Plan& plan, const Names& names) {
  const match::Verifier verifier(plan);
  const std::size_t step = names.size() / verified_lookups + 1;
  std::size_t asked = 0;
  std::size_t matched = 0;
  for (std::size_t i = 0; i < names.size(); i += step, ++asked) {
    match::Query query = match::Query::of_wire(names[i]);
    query.set_record_type(1);
    if (std::ranges::any_of(verifier.matches(query), [&](const match::Hit& hit) {
          const auto& reach = plan.rule_plans()[static_cast<std::size_t>(hit.rule - plan.rules().data())].reach;
          return reach == compile::Reach::by_name;
        })) {
      ++matched;
    }
  }
  return asked == 0 ? 0 : 100.0 * static_cast<double>(matched) / static_cast<double>(asked);
}

// Percent of the names that leave the kernel.
Result<double> measure_rate(const LoadedSensor& sensor, const compile::Plan& plan, const compile::KernelTables& tables,
                            const Set& set) {
  const auto left = let_out(sensor, set.names);
  if (!left) return fail(left.error());
  Names named;
  std::ranges::copy_if(set.names, std::back_inserter(named),
                       [&](const std::string& wire) { return tables.lets_pass(wire, 1); });
  if (named.size() != *left) {
    return fail(ErrorClass::runtime, "the kernel lets out {} names, the same code in user space {}", *left,
                named.size());
  }
  const double percent = 100.0 * static_cast<double>(*left) / static_cast<double>(set.names.size());
  fmt::print("  {} {}: {} leave the kernel, {:.3f} %; of these a rule matches {:.1f} %\n", set.names.size(), set.what,
             *left, percent, percent_matched(plan, named));
  print_causes(plan, named);
  return percent;
}

// True when the bound is met.
Result<bool> measure_corpus(LoadedSensor& sensor, const std::filesystem::path& folder, bool windows,
                            const std::vector<Set>& sets) {
  const compile::Plan plan = plan_of(folder, windows);
  fmt::print("{} rules, {} those of Windows\n", plan.rules().size(), windows ? "with" : "without");
  std::vector<std::string> forcing;
  const auto tables = compile::build_kernel_tables(bounded_predicates(plan, forcing), compile::Seeds::random());
  if (const auto published = sensor.publish(tables); !published) return fail(published.error());
  nlohmann::ordered_json result = {{"rules", plan.rules().size()}, {"force_every_query", forcing}};
  bool met = true;
  for (const Set& set : sets) {
    const auto percent = measure_rate(sensor, plan, tables, set);
    if (!percent) return fail(percent.error());
    result["percent_of_" + std::string(set.what)] = *percent;
    if (!set.ordinary || *percent < most_percent) continue;
    fmt::print(stderr, "corpus_cost: {:.2f} % of ordinary names leave the kernel; the bound is {} %\n", *percent,
               most_percent);
    met = false;
  }
  const Verified verified = verify(plan, sets.back().names);
  const double rules_a_second = verified.lookups_a_second * static_cast<double>(plan.rules().size());
  fmt::print("  verifier: {:.0f} lookups a second, each against all rules: {:.1f} million rules a second\n",
             verified.lookups_a_second, rules_a_second / 1e6);
  result["verified_lookups_a_second"] = verified.lookups_a_second;
  result["verified_rules_a_second"] = rules_a_second;
  if (const auto reported = report(windows ? "corpus_with_windows" : "corpus", result); !reported) {
    return fail(reported.error());
  }
  return met;
}

Result<bool> measure_all() {
  const auto folder = shared_material() / "sigma" / "rules";
  if (!std::filesystem::exists(folder)) {
    fmt::print("skipped: the corpus of rules is not here ({}); NSLOOKOUT_SHARED names the folder that holds it\n",
               folder.native());
    return true;
  }
  const Result<Feed> feed = read_feed(feed_names);
  if (!feed) return fail(feed.error());
  Result<LoadedSensor> sensor = LoadedSensor::load();
  if (!sensor) return fail(sensor.error());
  std::vector<Set> sets;
  if (Names hosts = names_of(ordinary_hosts()); !hosts.empty()) {
    sets.push_back({"hosts of packages' home pages", std::move(hosts), true});
  } else {
    fmt::print("left out: ordinary names; `apt-get update` brings the packages whose home pages they are of\n");
  }
  sets.push_back({feed->real ? "names of a feed of bad ones" : "made up names", names_of(*feed), false});
  bool met = true;
  for (const bool windows : {false, true}) {
    const auto one = measure_corpus(*sensor, folder, windows, sets);
    if (!one) return one;
    met = *one && met;
  }
  return met;
}

}  // namespace
}  // namespace nslookout::bench

int main() {
  const auto met = nslookout::bench::measure_all();
  if (!met) fmt::print(stderr, "corpus_cost: {}\n", met.error().message);
  return met && *met ? 0 : 1;
}
