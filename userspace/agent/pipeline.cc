#include "agent/pipeline.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <iterator>
#include <utility>

#include "agent/bypass.h"
#include "agent/describe.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "event/candidate.h"
#include "event/fit.h"
#include "identity/host.h"
#include "match/expansion.h"

namespace nslookout::agent {
namespace {

constexpr std::size_t unique_limit =
    65536;  // lookups remembered for --observe unique, of those that the kernel does not compare

// Stages that lose something for good; the other counters tell of what was refused or could not be named.
struct LossStage {
  nsl_counter counter;
  const char* stage;
};
constexpr std::array<LossStage, 15> loss_stages = {{
    {NSL_COUNT_ring_full, "ring"},
    {NSL_COUNT_payload_unreadable, "payload"},
    {NSL_COUNT_messages_over_limit, "messages"},
    {NSL_COUNT_tcp_split, "tcp"},
    {NSL_COUNT_ip_fragment, "fragment"},
    {NSL_COUNT_socket_storage_full, "socket"},
    {NSL_COUNT_pending_full, "pending"},
    {NSL_COUNT_program_missed, "program"},
    {NSL_COUNT_unix_request_unread, "unix_request"},
    {NSL_COUNT_response_ring_full, "response ring"},
    {NSL_COUNT_response_cut, "response end"},
    {NSL_COUNT_response_split, "response tcp"},
    {NSL_COUNT_telemetry_ring_full, "telemetry ring"},
    {NSL_COUNT_bypass_ring_full, "bypass ring"},
    {NSL_COUNT_telemetry_limited, "telemetry rate"},
}};

constexpr std::chrono::seconds drain_time{5};  // of all outputs together, at the end

// Those that grew since the last call, by how much.
std::vector<event::Loss> take_new(const std::vector<event::Loss>& losses, std::vector<std::uint64_t>& reported) {
  std::vector<event::Loss> grown;
  reported.resize(losses.size(), 0);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (losses[i].count <= reported[i]) continue;
    grown.push_back(losses[i]);
    grown.back().count -= reported[i];
    reported[i] = losses[i].count;
  }
  return grown;
}

void warn_of(const event::Loss& loss) {
  log::warning("lost at the stage {}{}{}: {}", loss.stage, loss.output.empty() ? "" : " of ", loss.output, loss.count);
}

}  // namespace

Pipeline::Pipeline(std::shared_ptr<const compile::Plan> plan, const kernel::Sensor& sensor,
                   std::vector<std::unique_ptr<sink::Sink>>& sinks, const identity::Options& identity,
                   std::vector<std::unique_ptr<identity::RuntimeSource>> runtimes, event::EventIds ids, Observe observe,
                   bool every_response, history::Recorder* history)
    : sensor_(sensor),
      proc_root_(identity.proc_root),
      sinks_(sinks),
      generations_(std::move(plan)),
      resolver_(identity),
      table_{.process = [&sensor](const nsl_process_key& key) { return sensor.process(key); },
             .environment = [&sensor](std::uint64_t key) { return sensor.environment(key); }},
      join_(std::move(runtimes)),
      ids_(ids),
      servers_(identity.proc_root),
      forwarders_([this](const nsl_sender& sender, const identity::ClientLeg& leg, std::uint64_t now) {
        return servers_.serves(sender, leg, now);
      }),
      observe_(observe),
      every_response_(every_response),
      responses_([this](Awaiting& query, const Answer* answer) { guard([&] { decide(query, answer); }); }),
      host_(identity::describe_host()),
      sensor_info_{NSLOOKOUT_VERSION, std::string(kernel::backend_name(sensor.choice().backend)),
                   std::string(kernel::mode_name(sensor.mode()))},
      history_(history),
      unwritten_(sinks.size(), 0) {
  if (!resolver_.proc_usable()) {
    log::warning(
        "the agent runs in a pid namespace of its own: pids are those of the host, and what only /proc knows is left "
        "out");
  }
}

void Pipeline::handle(const nsl_candidate& candidate) {
  if (candidate.name_length == 0 || candidate.name_length > NSL_NAME_MAX) return;
  guard([&] {
    Lookup lookup{.candidate = candidate};
    judge(lookup);
  });
}

template <typename Work>
void Pipeline::guard(const Work& work) {
  try {
    work();
  } catch (const std::exception& error) {
    ++unhandled_;
    if (unhandled_what_ == error.what()) return;
    unhandled_what_ = error.what();
    log::error("an event is lost, which is a fault of nslookout: {}; please report it", unhandled_what_);
  }
}

void Pipeline::adopt(std::shared_ptr<const compile::Plan> plan, std::uint32_t number) {
  generations_.adopt(std::move(plan), number, static_cast<std::uint64_t>(boot_now().count()));
}

void Pipeline::withdraw() { generations_.withdraw(); }

void Pipeline::judge(Lookup& lookup) {
  lookup.rules = generations_.of(lookup.candidate.generation);
  const match::Verifier& verifier = lookup.rules->verifier;
  // Describing costs far more than a verdict, and a rule that needs every query lets few of them become events.
  match::Query query = query_of(lookup.candidate);
  query.describe_with([&] {
    describe(lookup);
    return circumstances(lookup.event);
  });
  if (!lookup.readings) lookup.readings = readings(query, lookup);
  query.read_also(*lookup.readings);
  const bool awaited = (lookup.candidate.flags & NSL_FLAG_AWAITED) != 0;
  match::EarlyHits early =
      awaited ? verifier.matches_before_response(query) : match::EarlyHits{verifier.matches(query), {}};
  if (query.asked_of_runtime() || (lookup.rules->correlations_ask_runtime && !early.hits.empty())) {
    if (hold_undecided(lookup)) return;
  }
  const bool may_be_told =
      !early.hits.empty() || !early.open.empty() || observe_ != Observe::matches || was_judged(lookup.candidate);
  if (may_be_told) {
    // A forwarder's copy of what is held undecided may be no lookup of its own: it is decided after that.
    auto client = forwarders_.undecided_client_of(lookup.candidate);
    if (client && hold_undecided(lookup, std::move(client))) return;
  }
  lookup.rules->correlator.apply(early.hits, query, std::chrono::nanoseconds(lookup.candidate.boottime));
  tally_.verified(early.hits.empty() && early.open.empty());
  tally_.hits(early.hits);
  const bool wanted = !early.hits.empty() || observe_ != Observe::matches || was_judged(lookup.candidate);
  const bool reported = wanted && make_event(lookup, query, early.hits);
  std::optional<Awaiting> waiting;
  if (awaited && (!early.open.empty() || (reported && every_response_))) {
    waiting =
        Awaiting{lookup.candidate, lookup.candidate.boottime, std::move(early.open), lookup.event, lookup.described,
                 reported,         *lookup.readings,          lookup.rules};
  }
  if (reported) write_or_hold(lookup);
  if (waiting) responses_.wait(exchange_of(lookup.candidate), std::move(*waiting));
}

bool Pipeline::make_event(Lookup& lookup, const match::Query& query, const std::vector<match::Hit>& hits) {
  describe(lookup);
  event::Event& event = lookup.event;
  event.event_id = ids_.next(event.time);
  event.kind = event::Kind::query;
  if (hits.empty() && !was_judged(lookup.candidate) && observe_ == Observe::unique && !is_first(lookup)) return false;
  if (!hits.empty()) {
    mark_expanded(*event.dns, match::expansion_of(query, *lookup.readings, hits));
    add_hits(hits, event::Kind::match, event);
  }
  add_verdict(lookup.candidate, event);
  place_in_lookup(lookup.candidate, *lookup.readings, event);
  return true;
}

void Pipeline::write_or_hold(Lookup& lookup) {
  if (hold(lookup, false)) return;
  write_described(lookup.event, lookup.joined);
  told_.recorded(lookup.candidate.told, lookup.event.event_id);
}

void Pipeline::handle(const nsl_response& response, std::string_view message) {
  guard([&] { responses_.take(exchange_of(response), message, response.boottime); });
}

void Pipeline::handle(const nsl_bypass& bypass, std::span<const std::uint16_t> ports) {
  guard([&] { tell_of(bypass, ports); });
}

void Pipeline::tell_of(const nsl_bypass& bypass, std::span<const std::uint16_t> ports) {
  if (bypass.technique == NSL_OTHER_RESOLVER &&
      (may_be_configured_to_ask(bypass, proc_root_) || servers_.answers_dns(bypass.sender, ports, bypass.boottime))) {
    return;
  }
  nsl_candidate candidate{};  // what is asked about a sender is asked of one
  candidate.boottime = bypass.boottime;
  candidate.sender = bypass.sender;
  Lookup told{.candidate = candidate};
  describe_sender(told);
  told.event.kind = event::Kind::bypass;
  told.event.action = event::Action::audited;
  told.event.bypass = describe_bypass(bypass);
  told.event.event_id = ids_.next(told.event.time);
  write_or_hold(told);
}

void Pipeline::tell_detached(const std::string& program) {
  event::Event event;
  event.time = wall_from_boot(static_cast<std::uint64_t>(boot_now().count()), wall_minus_boot());
  event.event_id = ids_.next(event.time);
  event.kind = event::Kind::bypass;
  event.bypass.emplace();
  event.bypass->technique = event::Technique::detached;
  event.bypass->program = program;
  write(event);
}

void Pipeline::decide(Awaiting& waited, const Answer* answer) {
  Lookup lookup{.candidate = waited.candidate,
                .event = std::move(waited.event),
                .described = waited.described,
                .readings = std::move(waited.readings),
                .rules = std::move(waited.rules)};
  if (lookup.described) lookup.joined = join_.describe(lookup.event);
  match::Query query = query_of(waited.candidate);
  query.describe_with([&] {
    describe(lookup);
    return circumstances(lookup.event);
  });
  if (answer != nullptr) add_response(query, answer->response);
  query.read_also(*lookup.readings);
  std::vector<match::Hit> hits = lookup.rules->verifier.matches_of(waited.open, query);
  lookup.rules->correlator.apply(hits, query, std::chrono::nanoseconds(answer != nullptr ? answer->time : waited.time));
  tally_.hits(hits);
  const bool wanted = answer != nullptr && every_response_ && waited.reported;
  if (hits.empty() && !wanted) return;

  describe(lookup);
  describe_response(lookup.event, waited, answer);
  lookup.event.event_id = ids_.next(lookup.event.time);
  if (!hits.empty()) {
    mark_expanded(*lookup.event.dns, match::expansion_of(query, *lookup.readings, hits));
    add_hits(hits, lookup.event.kind, lookup.event);
    place_in_lookup(waited.candidate, *lookup.readings, lookup.event);
  }
  write_or_hold(lookup);
}

void Pipeline::expire() {
  const auto now = static_cast<std::uint64_t>(boot_now().count());
  responses_.expire(now);
  if (sensor_.more()) return;                    // what the rings still hold may be for the rules of then
  if (generations_.retire(now)) malloc_trim(0);  // with large lists it was most of what the agent takes
}

void Pipeline::finish() { responses_.finish(); }

// Whether it is somebody's first question about the name, another one of the same lookup, or a forwarder's copy.
void Pipeline::place_in_lookup(const nsl_candidate& candidate, const std::vector<NameReading>& readings,
                               event::Event& event) {
  const auto client = forwarders_.client_of(candidate);
  event.client_hidden = !client && has_hidden_client(candidate);
  if (client || event.client_hidden) event.role = event::Role::forwarder;
  event.duplicate_of = client.value_or("");
  if (!event.rules.empty()) {
    const auto first = window_.see(candidate.sender.process, names_of_lookup(*event.dns, readings), candidate.boottime,
                                   client.value_or(event.event_id));
    if (!client) event.duplicate_of = first.value_or("");
    event.alert = event.duplicate_of.empty();
  }
  forwarders_.note(candidate, event.duplicate_of.empty() ? event.event_id : event.duplicate_of);
}

// A resolver's own packet without a client's lookup. systemd-resolved also answers over D-Bus, which nobody watches; of
// nscd's one socket every request is seen once it is watched.
bool Pipeline::has_hidden_client(const nsl_candidate& candidate) {
  const kernel::UnixWatch& watch = sensor_.unix_watch();
  if (watch.socket.empty() || candidate.transport == NSL_VARLINK || candidate.transport == NSL_NSCD) return false;
  return servers_.hides_clients(candidate.sender, watch.watched, candidate.boottime);
}

void Pipeline::describe(Lookup& lookup) {
  if (lookup.described) return;
  lookup.event.dns = event::describe_dns(lookup.candidate);
  describe_sender(lookup);
}

void Pipeline::describe_sender(Lookup& lookup) {
  lookup.described = true;
  const nsl_candidate& candidate = lookup.candidate;
  event::Event& event = lookup.event;
  event.time = wall_from_boot(candidate.boottime, wall_minus_boot());
  identity::Sender sender = resolver_.describe(candidate, table_);
  event.process = std::move(sender.process);
  event.container = std::move(sender.container);
  event.pod = std::move(sender.pod);
  lookup.joined = join_.describe(event);
  event.origin = std::move(sender.origin);
}

// False: go on with what is known. behind: another lookup's container, which has to be known first.
bool Pipeline::hold(Lookup& lookup, bool undecided, std::optional<event::Container> behind) {
  if (!behind && lookup.joined != Joined::waiting) return false;
  Held held{.event = std::move(lookup.event),
            .undecided = undecided ? std::optional(lookup.candidate) : std::nullopt,
            .readings = {},
            .behind = std::move(behind),
            .told = lookup.candidate.told};
  if (undecided) held.readings = *lookup.readings;
  if (join_.hold(held)) return true;
  lookup.event = std::move(held.event);
  return false;
}

// Its response may come, and a forwarder's copy of it, before it is decided.
bool Pipeline::hold_undecided(Lookup& lookup, std::optional<event::Container> behind) {
  describe(lookup);
  const std::optional<event::Container> awaited = behind ? behind : lookup.event.container;
  if (!awaited || !hold(lookup, true, std::move(behind))) return false;
  forwarders_.note_undecided(lookup.candidate, *awaited);
  if ((lookup.candidate.flags & NSL_FLAG_AWAITED) != 0) responses_.expect(exchange_of(lookup.candidate));
  return true;
}

void Pipeline::write_released(std::vector<Held> released) {
  for (Held& held : released) {
    const Joined joined = held.answered ? Joined::done : Joined::unanswered;
    guard([&] {
      if (held.undecided) {
        forwarders_.decided(*held.undecided);
        if ((held.undecided->flags & NSL_FLAG_AWAITED) != 0) responses_.expected(exchange_of(*held.undecided));
        Lookup lookup{.candidate = *held.undecided,
                      .event = std::move(held.event),
                      .described = true,
                      .joined = joined,
                      .readings = std::move(held.readings)};
        judge(lookup);
      } else {
        write_described(held.event, joined);
        told_.recorded(held.told, held.event.event_id);
      }
    });
  }
}

void Pipeline::write_described(event::Event& event, Joined joined) {
  if (joined == Joined::unanswered) ++unanswered_;
  if (joined == Joined::waiting) ++no_room_;
  write(event);
}

void Pipeline::release() { write_released(join_.release()); }

void Pipeline::release_all() { write_released(join_.release_all()); }

std::vector<NameReading> Pipeline::readings(const match::Query& query, const Lookup& lookup) {
  const std::vector<SearchSuffix>& of_host = lookup.rules->plan->search_suffixes();
  if (!resolver_.proc_usable()) return readings_of(query.wire(), of_host);
  const std::vector<SearchSuffix>& of_sender =
      sender_search_suffixes_.of(lookup.candidate.sender, lookup.candidate.boottime);
  if (of_sender.empty()) return readings_of(query.wire(), of_host);
  std::vector<SearchSuffix> both = of_host;
  both.insert(both.end(), of_sender.begin(), of_sender.end());
  return readings_of(query.wire(), both);
}

bool Pipeline::is_first(const Lookup& lookup) {
  if (lookup.candidate.told != 0) {
    if (history_ != nullptr) told_.tell(lookup.candidate.told, lookup.event.event_id);
    return true;
  }
  if (unique_.size() >= unique_limit) unique_.clear();
  std::string key;
  for (const std::string& part : inventory::key_of(lookup.event)) key += part + '\0';
  if (unique_.insert(std::move(key)).second) return true;
  if (history_ != nullptr) history_->record(lookup.event);
  return false;
}

void Pipeline::count_repeats() {
  if (told_.size() == 0) return;
  const Result<std::vector<kernel::Repeats>> repeats = sensor_.repeats();
  if (!repeats) {
    log::error("{}", repeats.error().message);
    return;
  }
  told_.count(*repeats, [&](const std::string& event_id, std::uint64_t more, std::uint64_t last) {
    history_->add_repeats(event_id, more, wall_from_boot(last, wall_minus_boot()));
  });
}

void Pipeline::tell_of_past(event::Event event) {
  event.event_id = ids_.next(event.time);
  event.kind = event::Kind::match;
  event.alert = true;
  event.duplicate_of.clear();
  event.from_history = true;
  write(event);
}

void Pipeline::write(event::Event& event) {
  event::fit(event);
  event.sequence = ++sequence_;
  event.host = host_;
  event.sensor = sensor_info_;
  if (history_ != nullptr && !event.from_history) history_->record(event);
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    if (const auto written = sinks_[i]->write(event); !written) {
      ++unwritten_[i];
      log::error("{}", written.error().message);
    }
  }
  const WallTime now = wall_from_boot(static_cast<std::uint64_t>(boot_now().count()), wall_minus_boot());
  if (!event.from_history) tally_.written(event, now - event.time);
}

void Pipeline::flush() {
  for (const auto& sink : sinks_) {
    if (const auto flushed = sink->flush(); !flushed) log::error("{}", flushed.error().message);
  }
}

// Nothing is lost: the event is there, without what its container's runtime would have told.
void Pipeline::report_incomplete() {
  if (incomplete() == reported_incomplete_) return;
  log::warning(
      "{} without the name of their container so far: {} because nobody answered in time, {} because too many waited",
      counted(incomplete(), "event"), unanswered_, no_room_);
  reported_incomplete_ = incomplete();
}

std::vector<event::Loss> Pipeline::losses_before_outputs(const kernel::Counters& counters) const {
  std::vector<event::Loss> losses;
  losses.reserve(std::size(loss_stages) + 5);
  for (const LossStage& stage : loss_stages) losses.push_back({stage.stage, counters[stage.counter]});
  losses.push_back({"correlation", generations_.correlation_evictions()});
  losses.push_back({"awaited", responses_.counts().evicted});
  losses.push_back({"response", responses_.counts().unreadable});
  losses.push_back({"agent", unhandled_});
  losses.push_back({"history", history_ != nullptr ? history_->lost() : 0});
  return losses;
}

sink::SinkStatus Pipeline::output(std::size_t index) const {
  sink::SinkStatus status = sinks_[index]->status();
  status.lost += unwritten_[index];
  return status;
}

std::vector<event::Loss> Pipeline::output_losses() const {
  std::vector<event::Loss> losses;
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    sink::SinkStatus status = output(i);
    losses.push_back({"sink", status.lost, std::move(status.name)});
  }
  return losses;
}

std::vector<event::Loss> Pipeline::losses(const kernel::Counters& counters) const {
  std::vector<event::Loss> losses = losses_before_outputs(counters);
  event::Loss of_outputs{"sink"};
  for (const event::Loss& loss : output_losses()) of_outputs.count += loss.count;
  losses.push_back(of_outputs);
  return losses;
}

bool Pipeline::is_last_report(const std::vector<event::Loss>& losses) const {
  return sequence_ == last_report_ &&
         std::ranges::all_of(losses, [](const event::Loss& loss) { return !loss.output.empty() && loss.count == 1; });
}

void Pipeline::report_losses() {
  report_incomplete();
  const Result<kernel::Counters> counters = sensor_.counters();
  if (!counters) {
    log::error("{}", counters.error().message);
    return;
  }
  event::Event event;
  std::vector<std::uint64_t> reported_losses = reported_losses_;
  std::vector<std::uint64_t> reported_output = reported_output_;
  event.losses = take_new(losses_before_outputs(*counters), reported_losses);
  std::ranges::move(take_new(output_losses(), reported_output), std::back_inserter(event.losses));
  // An output that takes nothing loses the report of its losses, too: told by itself that would go on for ever. It is told with
  // what comes next.
  if (event.losses.empty() || is_last_report(event.losses)) return;
  reported_losses_ = std::move(reported_losses);
  reported_output_ = std::move(reported_output);
  event.kind = event::Kind::loss;
  event.time = wall_from_boot(static_cast<std::uint64_t>(boot_now().count()), wall_minus_boot());
  event.event_id = ids_.next(event.time);
  for (const event::Loss& loss : event.losses) warn_of(loss);
  write(event);
  last_report_ = sequence_;
}

void Pipeline::reopen() {
  for (const auto& sink : sinks_) sink->reopen();
}

void Pipeline::close() {
  const auto until = std::chrono::steady_clock::now() + drain_time;
  for (const auto& sink : sinks_) sink->hurry();
  for (const auto& sink : sinks_) sink->close(until);
  for (const event::Loss& loss : take_new(output_losses(), reported_output_)) warn_of(loss);
}

bool Pipeline::every_sink_finished() const {
  for (const auto& sink : sinks_) {
    if (!sink->finished()) return false;
  }
  return true;
}

}  // namespace nslookout::agent
