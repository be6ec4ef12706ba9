#include "agent/selftest.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "agent/loopback_lookups.h"
#include "agent/pipeline.h"
#include "base/dns_flags.h"
#include "base/dns_name.h"
#include "base/record_type.h"
#include "compile/samples.h"
#include "event/event_id.h"
#include "identity/environment_names.h"
#include "kernel/sensor.h"
#include "match/verifier.h"

namespace nslookout::agent {
namespace {

using Kind = RuleOutcome::Kind;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds patience{3};  // for an event, after the last that came
constexpr std::size_t batch = 256;           // lookups that are under way at once

struct Sample {
  std::string wire;
  std::uint16_t record_type = 1;
};

match::Query query_of_sample(const Sample& sample) {
  match::Query query = match::Query::of_wire(sample.wire);
  query.set_record_type(sample.record_type);
  query.set_flags(dns_recursion_desired);
  return query;
}

// The outcomes in the order rules, lists, correlations, and which lookup each of them waits for.
class Test {
 public:
  explicit Test(const compile::Plan& plan) : plan_(plan), verifier_(plan) {
    for (std::size_t i = 0; i < plan.rules().size(); ++i) add_rule(i);
    for (const lists::NameList& list : plan.lists()) add_list(list);
    for (const sigma::Correlation& correlation : plan.correlations()) {
      const sigma::Rule& head = correlation.head;
      outcomes_.push_back({Kind::not_tested, head.id, head.title, head.file, "", "", "it counts events of rules"});
      samples_.emplace_back();
    }
  }

  // Indexes of outcomes with a lookup to send.
  [[nodiscard]] std::vector<std::size_t> to_send() const {
    std::vector<std::size_t> indexes;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      if (samples_[i]) indexes.push_back(i);
    }
    return indexes;
  }
  [[nodiscard]] const Sample& sample(std::size_t index) const { return *samples_[index]; }
  [[nodiscard]] bool fired(std::size_t index) const { return outcomes_[index].kind == Kind::fired; }

  // An event of a lookup of this test fires whatever it names: rules may share a name.
  void take(const event::Event& event) {
    for (const event::Rule& rule : event.rules) {
      for (RuleOutcome& outcome : outcomes_) {
        if (outcome.id != rule.id || outcome.title != rule.title || outcome.file != rule.file) continue;
        outcome.kind = Kind::fired;
        outcome.reason.clear();
      }
    }
  }

  [[nodiscard]] std::vector<RuleOutcome> outcomes() { return std::move(outcomes_); }

 private:
  void add_rule(std::size_t index) {
    const sigma::Rule& rule = plan_.rules()[index];
    const compile::RulePlan& rule_plan = plan_.rule_plans()[index];
    RuleOutcome outcome{Kind::silent, rule.id, rule.title, rule.file, "", "", ""};
    std::optional<Sample> sample;
    if (rule_plan.firing.firing == compile::Firing::never) {
      outcome.reason = rule_plan.firing.reason;
    } else if (rule_plan.reach == compile::Reach::never) {
      outcome.reason = rule_plan.kernel;
    } else if (!rule.alerts) {
      outcome.kind = Kind::not_tested;
      outcome.reason = "it is there for correlations alone";
    } else {
      sample = find_sample(rule, rule_plan);
      if (sample) {
        note_sample(outcome, *sample);
      } else {
        explain(outcome, rule, rule_plan);
      }
    }
    outcomes_.push_back(std::move(outcome));
    samples_.push_back(std::move(sample));
  }

  void add_list(const lists::NameList& list) {
    RuleOutcome outcome{Kind::silent, list.id, list.id, list.file, "", "", ""};
    std::optional<Sample> sample;
    for (std::size_t i = 0; i < list.table.size() && !sample; ++i) {
      const lists::NameEntry entry = list.table.entry(i);
      if (!entry.listed()) continue;
      const std::string wire(entry.wire);
      const Sample candidate{entry.exact ? wire : compile::name_below(wire)};
      const auto hits = verifier_.matches(query_of_sample(candidate));
      if (std::ranges::any_of(hits, [&](const match::Hit& hit) { return hit.list == &list; })) sample = candidate;
    }
    if (sample) {
      note_sample(outcome, *sample);
    } else {
      outcome.reason = "every name of the list is an exception of it, too";
    }
    outcomes_.push_back(std::move(outcome));
    samples_.push_back(std::move(sample));
  }

  static void note_sample(RuleOutcome& outcome, const Sample& sample) {
    outcome.name = wire_to_presentation(sample.wire);
    outcome.record_type = record_type_name(sample.record_type);
    outcome.reason = "its lookup was sent and no event of it came";
  }

  [[nodiscard]] std::optional<Sample> find_sample(const sigma::Rule& rule, const compile::RulePlan& rule_plan) const {
    const std::vector<std::string> names = compile::sample_names(rule, rule_plan);
    for (const std::uint16_t type : compile::sample_record_types(rule_plan)) {
      for (const std::string& name : names) {
        Sample sample{name, type};
        const auto hits = verifier_.matches(query_of_sample(sample));
        if (std::ranges::any_of(hits, [&](const match::Hit& hit) { return hit.rule == &rule; })) return sample;
      }
    }
    return std::nullopt;
  }

  // No lookup makes it true by what this test can choose: because of what it cannot, or because there is none.
  static void explain(RuleOutcome& outcome, const sigma::Rule& rule, const compile::RulePlan& rule_plan) {
    outcome.kind = Kind::not_tested;
    for (const sigma::Test& test : rule.tests) {
      if (sigma::is_circumstance(test.field)) {
        outcome.reason =
            fmt::format("it asks for {}, and the test can be no other process than its own", test.field_name);
        return;
      }
    }
    if (rule_plan.reads_response) {
      outcome.reason = "it asks for the response, and the sink of the test answers nothing";
      return;
    }
    for (const sigma::Test& test : rule.tests) {
      const bool has_regex = std::ranges::any_of(
          test.values, [](const sigma::Value& value) { return value.kind == sigma::Value::Kind::regex; });
      if (has_regex) {
        outcome.reason = fmt::format("no name was found that the regular expression of {} finds", test.key);
        return;
      }
    }
    outcome.kind = Kind::silent;
    outcome.reason = "no lookup was found that makes it true: its tests may exclude one another";
  }

  const compile::Plan& plan_;
  match::Verifier verifier_;
  std::vector<RuleOutcome> outcomes_;
  std::vector<std::optional<Sample>> samples_;  // parallel
};

// Events of lookups that this test sent, told by the server.
class Collector : public sink::Sink {
 public:
  explicit Collector(Test& test) : test_(test) {}

  Result<void> write(const event::Event& event) override {
    if (event.dns && event.dns->server && event.dns->server->ip == LoopbackLookups::address) {
      test_.take(event);
      last_ = Clock::now();
    }
    return {};
  }
  Result<void> flush() override { return {}; }
  [[nodiscard]] bool finished() const override { return false; }
  [[nodiscard]] sink::SinkStatus status() const override { return {.name = "selftest"}; }
  [[nodiscard]] Clock::time_point last() const { return last_; }

 private:
  Test& test_;
  Clock::time_point last_ = Clock::now();
};

Result<void> send_and_wait(const std::vector<std::size_t>& indexes, const Test& test, const LoopbackLookups& lookups,
                           kernel::Sensor& sensor, Pipeline& pipeline, const Collector& collector) {
  for (const std::size_t index : indexes) {
    const Sample& sample = test.sample(index);
    if (auto sent = lookups.send(static_cast<std::uint16_t>(index), sample.wire, sample.record_type); !sent)
      return sent;
  }
  const auto sent_at = Clock::now();
  const auto all_fired = [&] {
    return std::ranges::all_of(indexes, [&](std::size_t index) { return test.fired(index); });
  };
  while (!all_fired() && Clock::now() < std::max(sent_at, collector.last()) + patience) {
    const auto polled =
        sensor.poll(std::chrono::milliseconds{20}, [&](const nsl_candidate& candidate) { pipeline.handle(candidate); });
    if (!polled) return fail(polled.error());
    pipeline.release();
  }
  return {};
}

}  // namespace

std::size_t SelftestReport::count(RuleOutcome::Kind kind) const {
  return static_cast<std::size_t>(std::ranges::count(rules, kind, &RuleOutcome::kind));
}

Result<SelftestReport> selftest(const SelftestOptions& options) {
  const auto backend = kernel::backend_from_name(options.backend);
  if (!backend) return fail(ErrorClass::usage, "there is no backend '{}'", options.backend);
  Result<compile::Plan> loaded = load_plan(options.rules, options.lists, options.rule_loading);
  if (!loaded) return fail(loaded.error());
  const auto plan = std::make_shared<const compile::Plan>(std::move(*loaded));
  Test test(*plan);

  kernel::SensorOptions sensor_options;
  sensor_options.backend = *backend;
  const auto allowed = identity::allowed_environment();
  sensor_options.environment_names = {allowed.begin(), allowed.end()};
  Result<kernel::Sensor> sensor = kernel::Sensor::start(sensor_options);
  if (!sensor) return fail(sensor.error());
  const auto tables = compile::build_kernel_tables(plan->predicates(), compile::Seeds::random());
  if (const auto published = sensor->publish(tables, 1); !published) return fail(published.error());

  Result<event::EventIds> ids = event::EventIds::create();
  if (!ids) return fail(ids.error());
  std::vector<std::unique_ptr<sink::Sink>> sinks;
  auto collecting = std::make_unique<Collector>(test);
  const Collector& collector = *collecting;
  sinks.push_back(std::move(collecting));
  Pipeline pipeline(plan, *sensor, sinks, identity::Options{}, {}, *ids, Observe::matches, false);

  const Result<LoopbackLookups> lookups = LoopbackLookups::open();
  if (!lookups) return fail(lookups.error());
  const std::vector<std::size_t> indexes = test.to_send();
  for (std::size_t at = 0; at < indexes.size(); at += batch) {
    const auto end = indexes.begin() + static_cast<std::ptrdiff_t>(std::min(at + batch, indexes.size()));
    const std::vector<std::size_t> part(indexes.begin() + static_cast<std::ptrdiff_t>(at), end);
    if (const auto sent = send_and_wait(part, test, *lookups, *sensor, pipeline, collector); !sent) {
      return fail(sent.error());
    }
  }
  return SelftestReport{std::string(kernel::backend_name(sensor->choice().backend)), test.outcomes()};
}

}  // namespace nslookout::agent
