// Random streams of events: the correlator with its windows, groups and running counts says what a brute-force evaluator
// says that looks at all of the past at each event. NSLOOKOUT_PROPERTY_SEED and NSLOOKOUT_PROPERTY_ROUNDS as elsewhere.
#include "match/correlator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "compile/plan.h"
#include "sigma/load.h"
#include "tests/property/environment.h"

namespace nslookout::match {
namespace {

struct Event {
  int time = 0;
  std::set<std::size_t> rules;  // that it makes true
  std::string user;             // empty: missing
  std::string number;
};

struct Spec {
  std::string type;
  std::string order;
  int limit = 0;
  int timespan = 0;
  bool grouped = false;
  int percentile = 50;

  [[nodiscard]] std::string text() const {
    std::string out = "title: c\ncorrelation:\n  type: " + type +
                      "\n  rules: [r0, r1, r2]\n  timespan: " + std::to_string(timespan) + "s\n";
    if (grouped) out += "  group-by: [User]\n";
    out += "  condition:\n    " + order + ": " + std::to_string(limit) + "\n";
    if (type.starts_with("value")) out += "    field: ProcessId\n";
    if (type == "value_percentile") out += "    percentile: " + std::to_string(percentile) + "\n";
    return out;
  }
};

bool compares(const std::string& order, double measure, double limit) {
  if (order == "gt") return measure > limit;
  if (order == "gte") return measure >= limit;
  if (order == "lt") return measure < limit;
  if (order == "lte") return measure <= limit;
  return (order == "eq") == (measure == limit);
}

bool counts(const Spec& spec, const Event& event) {
  if (event.rules.empty() || (spec.grouped && event.user.empty())) return false;
  if (spec.type == "value_count") return !event.number.empty();
  return !spec.type.starts_with("value") || (!event.number.empty() && event.number != "x");
}

double measure_of(const Spec& spec, const std::vector<Event>& window) {
  if (spec.type == "event_count") return static_cast<double>(window.size());
  std::set<std::string> distinct;
  std::set<std::size_t> rules;
  std::vector<double> numbers;
  std::size_t in_order = 0;
  for (const Event& event : window) {
    distinct.insert(event.number);
    numbers.push_back(std::strtod(event.number.c_str(), nullptr));
    for (const std::size_t rule : event.rules) {
      rules.insert(rule);
      if (rule == in_order) ++in_order;
    }
  }
  if (spec.type == "value_count") return static_cast<double>(distinct.size());
  if (spec.type == "temporal") return static_cast<double>(rules.size());
  if (spec.type == "temporal_ordered") return static_cast<double>(in_order);
  double sum = 0;
  for (const double number : numbers) sum += number;
  if (spec.type == "value_sum") return sum;
  if (spec.type == "value_avg") return sum / static_cast<double>(numbers.size());
  std::sort(numbers.begin(), numbers.end());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (static_cast<double>(i + 1) * 100 >= spec.percentile * static_cast<double>(numbers.size())) return numbers[i];
  }
  return numbers.back();
}

// Whether the condition holds at the event, with the window that ends there.
bool holds_at(const Spec& spec, const std::vector<Event>& events, std::size_t at) {
  std::vector<Event> window;
  for (std::size_t i = 0; i <= at; ++i) {
    const bool same_group = !spec.grouped || events[i].user == events[at].user;
    if (counts(spec, events[i]) && same_group && events[at].time - events[i].time <= spec.timespan) {
      window.push_back(events[i]);
    }
  }
  return compares(spec.order, measure_of(spec, window), spec.limit);
}

std::vector<bool> brute_force(const Spec& spec, const std::vector<Event>& events) {
  std::vector<bool> fired(events.size(), false);
  for (std::size_t at = 0; at < events.size(); ++at) {
    if (!counts(spec, events[at]) || !holds_at(spec, events, at)) continue;
    fired[at] = true;
    for (std::size_t before = at; before-- > 0;) {
      if (!counts(spec, events[before]) || (spec.grouped && events[before].user != events[at].user)) continue;
      fired[at] = events[at].time - events[before].time > spec.timespan || !holds_at(spec, events, before);
      break;
    }
  }
  return fired;
}

TEST(Correlator, EqualsBruteForceOnRandomStreams) {
  const std::vector<std::string> types = {"event_count", "value_count", "temporal",        "temporal_ordered",
                                          "value_sum",   "value_avg",   "value_percentile"};
  const std::vector<std::string> orders = {"gt", "gte", "lt", "lte", "eq", "neq"};
  std::string base;
  for (const std::string rule : {"0", "1", "2"}) {
    base += "title: r\nname: r" + rule + "\nlogsource: {category: dns}\ndetection: {s: {'CommandLine|contains': r" +
            rule + "}, condition: s}\n---\n";
  }
  const std::uint64_t first_seed = from_environment("NSLOOKOUT_PROPERTY_SEED", 1);
  const std::uint64_t rounds = from_environment("NSLOOKOUT_PROPERTY_ROUNDS", 2000);
  std::map<std::string, std::size_t> fired_by_type;
  for (std::uint64_t seed = first_seed; seed < first_seed + rounds; ++seed) {
    std::mt19937_64 engine(seed);
    const auto below = [&](std::size_t limit) {
      return std::uniform_int_distribution<std::size_t>(0, limit - 1)(engine);
    };
    const Spec spec = {types[below(types.size())],
                       orders[below(orders.size())],
                       static_cast<int>(below(5)),
                       1 + static_cast<int>(below(12)),
                       below(2) == 0,
                       static_cast<int>(below(101))};
    std::vector<Event> events(60);
    int time = 0;
    for (Event& event : events) {
      time += static_cast<int>(below(5)) * static_cast<int>(below(3));
      event.time = time;
      for (std::size_t rule = 0; rule < 3; ++rule) {
        if (below(3) == 0) event.rules.insert(rule);
      }
      event.user = std::vector<std::string>{"", "a", "b"}[below(3)];
      event.number = std::vector<std::string>{"", "x", "0", "1", "2", "5"}[below(6)];
    }
    sigma::RuleSet set = sigma::parse_rules(base + spec.text(), "random.yml");
    ASSERT_EQ(set.correlations.size(), 1u) << set.findings.front().text();
    const compile::Plan plan = compile::make_plan(set.rules, {}, set.correlations);
    const Verifier verifier(plan);
    Correlator correlator(plan);
    const std::vector<bool> expected = brute_force(spec, events);
    for (std::size_t i = 0; i < events.size(); ++i) {
      Query query = Query::of_name("x.test").value();
      std::string command_line;
      for (const std::size_t rule : events[i].rules) command_line += "r" + std::to_string(rule) + " ";
      query.set(sigma::Field::command_line, command_line);
      if (!events[i].user.empty()) query.set(sigma::Field::user, events[i].user);
      if (!events[i].number.empty()) query.set(sigma::Field::process_id, events[i].number);
      std::vector<Hit> hits = verifier.matches(query);
      correlator.apply(hits, query, std::chrono::seconds(events[i].time));
      // the rules of one that is out of reach alert by themselves
      const bool fired = std::ranges::any_of(hits, [](const Hit& hit) { return hit.title() == "c"; });
      ASSERT_EQ(fired, expected[i]) << "seed " << seed << ", event " << i << "\n" << spec.text();
      fired_by_type[spec.type] += expected[i] ? 1 : 0;
    }
    ASSERT_EQ(correlator.evictions().groups + correlator.evictions().entries, 0u);
  }
  for (const std::string& type : types) {
    std::cout << type << " fired " << fired_by_type[type] << " times\n";
    EXPECT_GT(fired_by_type[type], rounds / 50);
  }
}

}  // namespace
}  // namespace nslookout::match
