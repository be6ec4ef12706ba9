#include "agent/snapshot.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>

#include "agent/agent.h"
#include "base/level.h"

namespace nslookout::agent {
namespace {

struct CounterText {
  const char* name;
  const char* help;
};
constexpr std::array<CounterText, NSL_COUNTER_MAX> counter_texts = {{
#define NSL_COUNTER_TEXT(name, text) {#name, text},
    NSL_COUNTERS(NSL_COUNTER_TEXT)
#undef NSL_COUNTER_TEXT
}};

constexpr std::array<const char*, 7> kind_names = {"unspecified", "match", "query", "response",
                                                   "correlation", "loss",  "bypass"};

const char* reach_name(compile::Reach reach) {
  switch (reach) {
    case compile::Reach::by_name:
      return "names";
    case compile::Reach::every_query:
      return "every query";
    case compile::Reach::never:
      break;
  }
  return "never";
}

health::RuleState state_of(const sigma::Rule& rule, const compile::RulePlan& plan, const Tally& tally) {
  health::RuleState state{.id = rule.id, .title = rule.title, .level = rule.level, .file = rule.file};
  state.hits = tally.of_rule(rule.id, rule.title);
  const bool never = plan.reach == compile::Reach::never || plan.firing.firing == compile::Firing::never;
  state.reach = never ? "never" : reach_name(plan.reach);
  state.names = plan.witnesses.size();
  state.texts = plan.texts.size();
  state.types = plan.record_types.size();
  if (never) state.never_because = plan.firing.reason.empty() ? plan.kernel : plan.firing.reason;
  return state;
}

void add_rules(health::Snapshot& snapshot, const compile::Plan& plan, const Tally& tally) {
  for (std::size_t i = 0; i < plan.rules().size(); ++i) {
    snapshot.rules.push_back(state_of(plan.rules()[i], plan.rule_plans()[i], tally));
  }
  for (const sigma::Correlation& correlation : plan.correlations()) {
    const sigma::Rule& head = correlation.head;
    health::RuleState state{.id = head.id, .title = head.title, .level = head.level, .file = head.file};
    state.hits = tally.of_rule(head.id, head.title);
    state.reach = "events of rules";
    snapshot.correlations.push_back(std::move(state));
  }
  for (const lists::NameList& list : plan.lists()) {
    health::RuleState state{.id = list.id, .title = list.id, .level = list.level, .file = list.file};
    state.hits = tally.of_rule(list.id, list.id);
    state.reach = "names";
    state.names = list.table.size();
    snapshot.lists.push_back(std::move(state));
  }
}

void add_counts(health::Snapshot& snapshot, const Pipeline& pipeline, const kernel::Counters& counters) {
  const Tally& tally = pipeline.tally();
  for (std::size_t i = 0; i < counters.size(); ++i) {
    snapshot.counters.push_back({counter_texts[i].name, counter_texts[i].help, counters[i]});
  }
  for (const event::Loss& loss : pipeline.losses(counters)) snapshot.lost.push_back({loss.stage, loss.count});
  for (std::size_t i = 1; i < kind_names.size(); ++i) snapshot.events.push_back({kind_names[i], tally.by_kind()[i]});
  for (std::size_t i = 0; i < levels.size(); ++i) {
    snapshot.hits.push_back({std::string(levels[i]), tally.by_level()[i]});
  }
  snapshot.verified = tally.verified_count();
  snapshot.refused = tally.refused_count();
  snapshot.waiting = pipeline.waiting();
  snapshot.incomplete = pipeline.incomplete();
  snapshot.lost_variables = pipeline.lost_variables();
  snapshot.latency = tally.latency();
}

void add_outputs(health::Snapshot& snapshot, const RunOptions& options, const Pipeline& pipeline) {
  std::map<std::string, int> seen;
  for (std::size_t i = 0; i < options.outputs.size(); ++i) {
    std::string name = output_name(options.outputs[i]);
    if (const int before = seen[name]++; before > 0) name += fmt::format(" ({})", before + 1);
    const sink::SinkStatus status = pipeline.output(i);
    snapshot.outputs.push_back(
        {std::move(name), status.delivered, status.lost, status.waiting, pipeline.output_finished(i)});
  }
}

// Whether the kernel measures programs; it costs every one of them some 20 ns, so it is off unless somebody wants it.
bool measures_programs() {
  char value = '0';
  std::ifstream("/proc/sys/kernel/bpf_stats_enabled") >> value;
  return value == '1';
}

void add_programs(health::Snapshot& snapshot, const kernel::Sensor& sensor) {
  const std::vector<kernel::ProgramRuns> programs = sensor.program_runs();
  const bool measured = measures_programs() || std::ranges::any_of(programs, &kernel::ProgramRuns::runs);
  if (!measured) return;
  for (const kernel::ProgramRuns& program : programs) {
    snapshot.programs.push_back({program.name, program.runs, program.time});
  }
}

}  // namespace

std::string output_name(std::string_view spec) {
  std::string name(spec.substr(0, spec.find('?')));
  const std::size_t slashes = name.find("://");
  if (slashes == std::string::npos) return name;
  const std::size_t begin = slashes + 3;
  const std::size_t at = name.substr(0, name.find('/', begin)).rfind('@');
  if (at != std::string::npos && at >= begin) name.erase(begin, at + 1 - begin);
  return name;
}

health::Snapshot make_snapshot(const RunOptions& options, const kernel::Sensor& sensor, const Pipeline& pipeline,
                               const PublishedSizes& sizes, const health::GenerationState& generation,
                               WallTime started) {
  health::Snapshot snapshot;
  snapshot.version = NSLOOKOUT_VERSION;
  snapshot.revision = options.revision;
  snapshot.started = started;
  snapshot.backend = kernel::backend_name(sensor.choice().backend);
  snapshot.backend_reason = sensor.choice().reason;
  snapshot.mode = kernel::mode_name(sensor.mode());
  snapshot.generation = generation;
  add_rules(snapshot, pipeline.plan(), pipeline.tally());
  if (const auto counters = sensor.counters(); counters) add_counts(snapshot, pipeline, *counters);
  add_outputs(snapshot, options, pipeline);
  snapshot.tables = {{"names", sizes.names, options.rule_loading.max_names},
                     {"texts", sizes.text_cells, NSL_TEXT_CELLS},
                     {"processes", std::nullopt, options.process_entries}};
  add_programs(snapshot, sensor);
  return snapshot;
}

}  // namespace nslookout::agent
