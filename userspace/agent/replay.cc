#include "agent/replay.h"

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>

#include "agent/describe.h"
#include "agent/observe.h"
#include "agent/sources.h"
#include "base/log.h"
#include "capture/capture_file.h"
#include "capture/dissector.h"
#include "capture/link.h"
#include "event/candidate.h"
#include "event/event_id.h"
#include "match/correlator.h"
#include "match/expansion.h"
#include "match/verifier.h"

namespace nslookout::agent {
namespace {

using Sinks = std::vector<std::unique_ptr<sink::Sink>>;

constexpr std::size_t unique_limit = std::size_t{1} << 20;  // names remembered for --observe unique

class Replay {
 public:
  Replay(const compile::Plan& plan, Sinks& sinks, event::EventIds ids, Observe observe)
      : plan_(plan), sinks_(sinks), verifier_(plan), correlator_(plan), ids_(ids), observe_(observe) {}

  // Whether it is a query.
  [[nodiscard]] bool handle(const capture::Lookup& lookup);
  void flush();
  [[nodiscard]] bool every_sink_finished() const {
    return std::all_of(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->finished(); });
  }

  ReplayOutcome outcome;

 private:
  [[nodiscard]] bool leaves_the_kernel(const capture::Question& question, const std::vector<match::Hit>& hits) const;
  [[nodiscard]] bool seen_before(const std::string& name);
  void write(event::Event& event);

  const compile::Plan& plan_;
  Sinks& sinks_;
  match::Verifier verifier_;
  match::Correlator correlator_;
  event::EventIds ids_;
  Observe observe_;
  event::SensorInfo sensor_info_{NSLOOKOUT_VERSION, "replay", "audit"};
  std::unordered_set<std::string> unique_;
  std::uint64_t sequence_ = 0;
};

// As the kernel programs have it: an odd message is let out for the sake of a listed name only.
bool Replay::leaves_the_kernel(const capture::Question& question, const std::vector<match::Hit>& hits) const {
  return question.plausible || std::any_of(hits.begin(), hits.end(), [&](const match::Hit& hit) {
           if (hit.rule == nullptr) return true;
           const auto index = static_cast<std::size_t>(hit.rule - plan_.rules().data());
           return plan_.rule_plans()[index].reach != compile::Reach::every_query;
         });
}

bool Replay::handle(const capture::Lookup& lookup) {
  event::Event event;
  event.time = lookup.time.value_or(WallTime{});
  event.dns = event::describe_dns(lookup.question.candidate);
  match::Query query = query_of(lookup.question.candidate);
  query.describe_with([&] { return circumstances(event); });
  const std::vector<NameReading> readings = readings_of(query.wire(), plan_.search_suffixes());
  query.read_also(readings);
  std::vector<match::Hit> hits = verifier_.matches(query);
  if (!leaves_the_kernel(lookup.question, hits)) return false;
  correlator_.apply(hits, query, event.time.time_since_epoch());
  if (hits.empty() && observe_ == Observe::matches) return true;

  if (hits.empty()) {
    if (observe_ == Observe::unique && seen_before(event.dns->query)) return true;
    event.kind = event::Kind::query;
  } else {
    ++outcome.matches;
    const bool correlated = std::ranges::all_of(hits, &match::Hit::correlation);
    event.kind = correlated ? event::Kind::correlation : event::Kind::match;
    event.action = event::Action::audited;
    event.alert = true;
    mark_expanded(*event.dns, match::expansion_of(query, readings, hits));
    for (const match::Hit& hit : hits) event.rules.push_back(describe_rule(hit));
  }
  write(event);
  return true;
}

bool Replay::seen_before(const std::string& name) {
  if (unique_.size() >= unique_limit) unique_.clear();
  return !unique_.insert(name).second;
}

void Replay::write(event::Event& event) {
  event.event_id = ids_.next(event.time);
  event.sequence = ++sequence_;
  event.sensor = sensor_info_;
  const std::uint64_t lost_before = outcome.lost;
  for (const auto& sink : sinks_) {
    if (const auto written = sink->write(event); !written) {
      // One line tells of a sink that takes nothing more; the count tells of the rest.
      if (outcome.lost == 0) log::error("{}", written.error().message);
      ++outcome.lost;
    }
  }
  if (outcome.lost == lost_before) ++outcome.events;
}

void Replay::flush() {
  for (const auto& sink : sinks_) {
    if (const auto flushed = sink->flush(); !flushed) {
      log::error("{}", flushed.error().message);
      ++outcome.lost;
    }
  }
}

void read_all(capture::CaptureFile& file, capture::Dissector& dissector, Replay& replay) {
  while (!replay.every_sink_finished()) {
    const auto frame = file.next();
    if (!frame) {
      replay.outcome.damage = frame.error();
      break;
    }
    if (!*frame) break;
    if (!capture::is_link_type_read((*frame)->link_type)) {
      replay.outcome.unread_link_types.insert((*frame)->link_type);
    }
    dissector.take(**frame);
  }
  dissector.finish();
}

}  // namespace

Result<ReplayOutcome> replay(const ReplayOptions& options) {
  const Result<compile::Plan> plan = load_plan(options.rules, options.lists, options.rule_loading);
  if (!plan) return fail(plan.error());
  Result<capture::CaptureFile> file = capture::CaptureFile::open(options.file);
  if (!file) return fail(file.error().context(options.file));
  auto sinks = open_sinks(options.outputs);
  if (!sinks) return fail(sinks.error());
  const Result<event::EventIds> ids = event::EventIds::create();
  if (!ids) return fail(ids.error());

  Replay replay(*plan, *sinks, *ids, observe_from_name(options.observe));
  capture::Dissector dissector({options.ports}, [&](const capture::Lookup& lookup) { return replay.handle(lookup); });
  read_all(*file, dissector, replay);
  replay.flush();
  replay.outcome.counts = dissector.counts();
  return std::move(replay.outcome);
}

}  // namespace nslookout::agent
