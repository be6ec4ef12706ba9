#include "agent/replay.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <unordered_set>
#include <utility>

#include "agent/describe.h"
#include "agent/observe.h"
#include "agent/responses.h"
#include "agent/sources.h"
#include "base/log.h"
#include "bpf/exchange.h"
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

constexpr std::chrono::seconds close_time{30};
constexpr std::size_t unique_limit = std::size_t{1} << 20;  // names remembered for --observe unique

class Replay {
 public:
  Replay(const compile::Plan& plan, Sinks& sinks, event::EventIds ids, Observe observe, bool every_response)
      : plan_(plan),
        sinks_(sinks),
        verifier_(plan),
        correlator_(plan),
        ids_(ids),
        observe_(observe),
        every_response_(every_response),
        responses_([this](Awaiting& query, const Answer* answer) { decide(query, answer); }) {}

  // Whether it is a query.
  [[nodiscard]] bool handle(const capture::Lookup& lookup);
  void handle(const capture::ServerMessage& message);
  // After the last packet: no response comes any more.
  void finish() { responses_.finish(); }
  [[nodiscard]] bool reads_responses() const { return every_response_ || plan_.reads_response(); }
  void flush();
  void close();
  [[nodiscard]] bool every_sink_finished() const {
    return std::all_of(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->finished(); });
  }

  ReplayOutcome outcome;

 private:
  [[nodiscard]] bool leaves_the_kernel(const capture::Question& question, const match::EarlyHits& early) const;
  void decide(Awaiting& waited, const Answer* answer);
  void report(const match::Query& query, const std::vector<NameReading>& readings, const std::vector<match::Hit>& hits,
              event::Kind kind, event::Event& event);
  [[nodiscard]] bool seen_before(const std::string& name);
  void write(event::Event& event);

  const compile::Plan& plan_;
  Sinks& sinks_;
  match::Verifier verifier_;
  match::Correlator correlator_;
  event::EventIds ids_;
  Observe observe_;
  bool every_response_;
  Responses responses_;
  event::SensorInfo sensor_info_{NSLOOKOUT_VERSION, "replay", "audit"};
  std::unordered_set<std::string> unique_;
  std::uint64_t sequence_ = 0;
};

// As the kernel programs have it: an odd message is let out for the sake of a listed name only.
bool Replay::leaves_the_kernel(const capture::Question& question, const match::EarlyHits& early) const {
  const auto by_name = [&](std::size_t rule) { return plan_.rule_plans()[rule].reach != compile::Reach::every_query; };
  return question.plausible || std::ranges::any_of(early.open, by_name) ||
         std::ranges::any_of(early.hits, [&](const match::Hit& hit) {
           return hit.rule == nullptr || by_name(static_cast<std::size_t>(hit.rule - plan_.rules().data()));
         });
}

std::uint64_t nanoseconds_of(std::optional<WallTime> time) {
  return static_cast<std::uint64_t>(time.value_or(WallTime{}).time_since_epoch().count());
}

// The client stands for its socket.
std::string exchange_of(nsl_exchange exchange, const nsl_u8* client, std::uint16_t client_port) {
  exchange.socket = client_port;
  return {std::string(reinterpret_cast<const char*>(&exchange), sizeof exchange) +
          std::string(reinterpret_cast<const char*>(client), sizeof exchange.server)};
}

bool Replay::handle(const capture::Lookup& lookup) {
  const nsl_candidate& candidate = lookup.question.candidate;
  responses_.expire(nanoseconds_of(lookup.time));
  event::Event event;
  event.time = lookup.time.value_or(WallTime{});
  event.dns = event::describe_dns(candidate);
  match::Query query = query_of(candidate);
  query.describe_with([&] { return circumstances(event); });
  std::vector<NameReading> readings = readings_of(query.wire(), plan_.search_suffixes());
  query.read_also(readings);
  match::EarlyHits early =
      reads_responses() ? verifier_.matches_before_response(query) : match::EarlyHits{verifier_.matches(query), {}};
  if (!leaves_the_kernel(lookup.question, early)) return false;
  correlator_.apply(early.hits, query, event.time.time_since_epoch());

  event.kind = event::Kind::query;
  if (!early.hits.empty()) report(query, readings, early.hits, event::Kind::match, event);
  const bool reported = !early.hits.empty() || observe_ == Observe::all ||
                        (observe_ == Observe::unique && !seen_before(event.dns->query));
  if (reported) write(event);
  if (!early.open.empty() || (reported && every_response_)) {
    nsl_exchange exchange{};
    nsl_exchange_of(&exchange, &candidate);
    responses_.wait(exchange_of(exchange, candidate.source, candidate.source_port),
                    {candidate, nanoseconds_of(lookup.time), std::move(early.open), std::move(event), true, reported,
                     std::move(readings)});
  }
  return true;
}

void Replay::handle(const capture::ServerMessage& message) {
  responses_.expire(nanoseconds_of(message.time));
  if (message.octets.size() < 2) return;
  nsl_exchange exchange = message.exchange;
  exchange.id = capture::read16(message.octets, 0);
  responses_.take(exchange_of(exchange, message.client.octets.data(), message.client_port),
                  {reinterpret_cast<const char*>(message.octets.data()), message.octets.size()},
                  nanoseconds_of(message.time));
}

void Replay::decide(Awaiting& waited, const Answer* answer) {
  event::Event& event = waited.event;
  match::Query query = query_of(waited.candidate);
  query.describe_with([&] { return circumstances(event); });
  if (answer != nullptr) add_response(query, answer->response);
  query.read_also(waited.readings);
  std::vector<match::Hit> hits = verifier_.matches_of(waited.open, query);
  correlator_.apply(hits, query, std::chrono::nanoseconds(answer != nullptr ? answer->time : waited.time));
  if (hits.empty() && (answer == nullptr || !every_response_ || !waited.reported)) return;
  describe_response(event, waited, answer);
  if (!hits.empty()) report(query, waited.readings, hits, event.kind, event);
  write(event);
}

// Makes of the event one about the hits, and counts it.
void Replay::report(const match::Query& query, const std::vector<NameReading>& readings,
                    const std::vector<match::Hit>& hits, event::Kind kind, event::Event& event) {
  ++outcome.matches;
  mark_expanded(*event.dns, match::expansion_of(query, readings, hits));
  add_hits(hits, kind, event);
  event.alert = true;
  event.duplicate_of.clear();
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

// Of a replay the outputs are waited for: it has the time.
void Replay::close() {
  const auto until = std::chrono::steady_clock::now() + close_time;
  for (const auto& sink : sinks_) {
    sink->close(until);
    const std::uint64_t lost = sink->status().lost;
    outcome.lost += lost;
    outcome.events -= std::min(outcome.events, lost);
  }
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

  Replay replay(*plan, *sinks, *ids, observe_from_name(options.observe), options.responses);
  capture::ServerMessageHandler responses;
  if (replay.reads_responses()) {
    responses = [&](const capture::ServerMessage& message) { replay.handle(message); };
  }
  capture::Dissector dissector(
      {options.ports}, [&](const capture::Lookup& lookup) { return replay.handle(lookup); }, std::move(responses));
  read_all(*file, dissector, replay);
  replay.finish();
  replay.flush();
  replay.close();
  replay.outcome.counts = dissector.counts();
  return std::move(replay.outcome);
}

}  // namespace nslookout::agent
