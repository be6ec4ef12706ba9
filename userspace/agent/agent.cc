#include "agent/agent.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/ranges.h>

#include "agent/answers.h"
#include "agent/confinement.h"
#include "agent/health.h"
#include "agent/history_hunt.h"
#include "agent/last_reading.h"
#include "agent/needs.h"
#include "agent/observe.h"
#include "agent/pipeline.h"
#include "agent/ready_file.h"
#include "agent/reload.h"
#include "agent/resolver_list.h"
#include "agent/small_files.h"
#include "agent/snapshot.h"
#include "agent/sources.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "compile/kernel_tables.h"
#include "health/http_server.h"
#include "history/recorder.h"
#include "identity/environment_names.h"
#include "identity/proc_process.h"
#include "identity/seeded.h"
#include "kernel/host.h"
#include "kernel/pins.h"
#include "lists/spec.h"
#include "match/query.h"
#include "match/verifier.h"

namespace nslookout::agent {
namespace {

constexpr std::chrono::milliseconds poll_time{100};
constexpr std::chrono::milliseconds poll_time_holding{10};  // while events wait for what a runtime answers
constexpr std::chrono::milliseconds last_wait{500};         // for such answers, at the end
constexpr std::chrono::seconds loss_report_interval{5};
// Of the rings at the end. Outputs have as long again, and a supervisor waits for fifteen seconds.
constexpr std::chrono::seconds last_reading{5};
constexpr std::chrono::milliseconds last_discarding{500};  // of what is left after that

volatile std::sig_atomic_t stop_asked = 0;
volatile std::sig_atomic_t reload_asked = 0;
volatile std::sig_atomic_t reopen_asked = 0;

void ask_to_stop(int /*signal*/) { stop_asked = 1; }
void ask_to_reload(int /*signal*/) { reload_asked = 1; }
void ask_to_reopen(int /*signal*/) { reopen_asked = 1; }

// Nothing is attached yet and no event is lost, so that nobody has to wait for the end of a long list.
void end_at_once(int /*signal*/) { ::_exit(0); }

void on_signals(std::initializer_list<int> signals, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;  // no SA_RESTART: waiting at the ring ends at once
  for (const int signal : signals) sigaction(signal, &action, nullptr);
}

// Rules that change and files that are moved while the agent starts are its business as much as later.
void catch_signals_of_the_start() {
  on_signals({SIGTERM, SIGINT}, end_at_once);
  on_signals({SIGHUP}, ask_to_reload);
  on_signals({SIGUSR1}, ask_to_reopen);
}

// Without enough descriptors the kernel's refusals would look like something else. A limit that may be raised is.
constexpr rlim_t needed_descriptors = 128;

Result<void> check_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed_descriptors) return {};
  limit.rlim_cur = std::min(limit.rlim_max, needed_descriptors);
  if (limit.rlim_max >= needed_descriptors && ::setrlimit(RLIMIT_NOFILE, &limit) == 0) return {};
  return fail(ErrorClass::runtime, "{} open files are needed and {} allowed; raise the limit (ulimit -n, LimitNOFILE=)",
              needed_descriptors, limit.rlim_cur);
}

using SharedPlan = std::shared_ptr<const compile::Plan>;

Result<SharedPlan> load_rules(const RunOptions& options) {
  if (const auto trusted = check_writers(options); !trusted) return fail(trusted.error());
  Result<compile::Plan> plan = load_plan(options.rules, options.lists, options.rule_loading);
  if (!plan) return fail(plan.error());
  if (options.mode != "audit") {
    if (const auto decided = set_blocking(*plan, options.block); !decided) return fail(decided.error());
  }
  return std::make_shared<const compile::Plan>(std::move(*plan));
}

compile::KernelTables tables_of(const compile::Plan& plan) {
  return compile::build_kernel_tables(plan.predicates(), compile::Seeds::random());
}

// What the kernel's tables have. The tables are gone when this returns, and their memory is the system's again:
// with large lists they are most of what the agent takes.
Result<PublishedSizes> publish(kernel::Sensor& sensor, compile::KernelTables tables, std::uint32_t number) {
  const PublishedSizes sizes{tables.names.size(), tables.texts.empty() ? 0 : tables.texts.cells.size()};
  const auto published = sensor.publish(tables, number);
  {
    const compile::KernelTables gone = std::move(tables);
  }
  malloc_trim(0);
  if (!published) return fail(published.error());
  return sizes;
}

// The files that rules and lists come from.
std::vector<std::string> watched_paths(const RunOptions& options) {
  std::vector<std::string> paths = options.rules;
  for (const auto* lists : {&options.lists, &options.block.allow, &options.block.allow_only}) {
    for (const std::string& list : *lists) {
      if (const auto spec = lists::parse_spec(list); spec) paths.push_back(spec->file);
    }
  }
  return paths;
}

void announce_blocking(const kernel::Sensor& sensor, const compile::Plan& plan) {
  if (sensor.mode() == kernel::Mode::audit) return;
  const compile::Blocking& blocking = plan.blocking();
  log::notice("mode {}: {} and {} {} lookups{}", kernel::mode_name(sensor.mode()),
              counted(blocking.blocking_rules(), "rule"), counted(blocking.blocking_lists(), "list"),
              sensor.mode() == kernel::Mode::enforce ? "block" : "would block",
              blocking.only_allowed ? ", and every name that is not allowed" : "");
}

// A lookup that shows a newcomer an event, with the rules that come along.
constexpr std::string_view example_name = "sfrclak.com";

bool is_hit(const match::Verifier& verifier, std::string_view name) {
  auto query = match::Query::of_name(name);
  if (!query) return false;
  query->set_record_type(1);
  return !verifier.matches(*query).empty();
}

void announce(const kernel::Sensor& sensor, const Pipeline& pipeline, std::size_t names) {
  const compile::Plan& plan = pipeline.plan();
  std::size_t listed = 0;
  for (const lists::NameList& list : plan.lists()) listed += list.table.size();
  log::notice("backend {} ({})", kernel::backend_name(sensor.choice().backend), sensor.choice().reason);
  log::notice("{} and {} loaded, {} in the kernel ({} of lists){}", counted(plan.rules().size(), "rule"),
              counted(plan.lists().size(), "list"), counted(names, "name"), listed,
              plan.every_query() ? "; some rule needs every query, `nslookout explain` says which" : "");
  if (!plan.search_suffixes().empty()) {
    std::vector<std::string> texts;
    for (const SearchSuffix& suffix : plan.search_suffixes()) texts.push_back(search_suffix_text(suffix));
    log::notice("names are also read without the search suffix{} {}", texts.size() == 1 ? "" : "es",
                fmt::join(texts, ", "));
  }
  announce_blocking(sensor, plan);
  if (is_hit(pipeline.verifier(), example_name)) log::notice("try in another shell: getent hosts {}", example_name);
}

void announce_runtimes(const std::vector<std::string>& places) {
  if (!places.empty()) log::notice("containers and pods are described by {}", fmt::join(places, ", "));
}

// Command lines and environments of the processes that ran before: the kernel cannot read those of others.
void complete_seeded(const kernel::Sensor& sensor, const identity::Options& identity) {
  if (!sensor.seeding_refused().empty()) {
    log::warning("processes older than the agent are known from /proc alone, while they live: {}",
                 sensor.seeding_refused());
  }
  if (!identity::shows_initial_pid_namespace(identity.proc_root)) return;
  for (const nsl_process_key& key : sensor.seeded()) {
    const auto entry = sensor.process(key);
    const auto facts = entry ? identity::read_seeded(identity.proc_root, key, *entry) : std::nullopt;
    if (facts) sensor.complete_seeded(key, facts->arguments, facts->variables);
  }
}

kernel::Responses responses_to_see(const RunOptions& options, const compile::Plan& plan) {
  if (options.responses) return kernel::Responses::all;
  return plan.reads_response() ? kernel::Responses::needed : kernel::Responses::none;
}

void warn_of_unseen_responses(const kernel::Sensor& sensor, const compile::Plan& plan) {
  if (!sensor.responses_refused()) return;
  const auto reading = std::ranges::count_if(plan.rule_plans(), &compile::RulePlan::reads_response);
  log::warning("responses are not seen: {}; {} that read answer or rcode see them missing",
               sensor.responses_refused()->message, counted(static_cast<std::size_t>(reading), "rule"));
}

// Before anything is blocked: an agent that keeps its own output from being found tells nobody.
void warn_of_needs(const RunOptions& options, const compile::Plan& plan) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment
  const auto environment = [](const char* name) { return std::getenv(name); };
  for (const Need& need :
       not_allowed(plan.blocking(), needs_of(options.outputs, options.runtimes.kubelet.url, environment))) {
    log::warning("--allow-only blocks {}, which {} needs: add it to the list, or give --allow a list that has it",
                 need.name, need.whose);
  }
  if (!plan.blocking().only_allowed) return;
  for (const RunningResolver& resolver : recursing_resolvers(options.proc)) {
    log::warning(
        "--allow-only blocks what {} (pid {}) asks name servers itself, names of servers and parts of names, which no "
        "list of a job's names has: let it forward to another resolver, or run the agent where it does not run",
        resolver.name, resolver.pid);
  }
}

Result<void> set_bypasses(const RunOptions& options, kernel::SensorOptions& sensor) {
  sensor.bypasses = options.bypass == "on";
  if (!sensor.bypasses) return {};
  Result<std::vector<IpAddress>> resolvers = read_resolver_list(options.resolvers);
  if (!resolvers) return fail(resolvers.error());
  sensor.public_resolvers = std::move(*resolvers);
  for (const std::string& text : options.own_resolvers) {
    const auto address = parse_ip_address(text);
    if (!address) return fail(ErrorClass::usage, "--own-resolver {}: that is no address", text);
    sensor.own_resolvers.push_back(*address);
  }
  return {};
}

void warn_of_unwatched_bypasses(const kernel::BypassWatch& watch, const std::string& proc_root) {
  if (!watch.refusal.empty()) {
    log::warning("encrypted DNS, other resolvers and raw sockets are not told: {}", watch.refusal);
  } else if (!watch.sockets_refusal.empty()) {
    log::warning("open packet sockets are not told: {}", watch.sockets_refusal);
  }
  if (watch.watched && !(identity::shows_initial_pid_namespace(proc_root) && can_open_roots(proc_root))) {
    log::warning(
        "processes that ask another resolver than theirs are not told: their /etc/resolv.conf cannot be read, which "
        "takes the host's /proc and CAP_SYS_PTRACE");
  }
}

Error refusal(const RunOptions& options, const Error& error) {
  if (options.backend == "auto" || error.kind != ErrorClass::unsupported) return error;
  return {error.kind,
          fmt::format("--backend {}: {}; `nslookout doctor` says what works here", options.backend, error.message)};
}

// An answer that is on its way is worth a moment, but the end is not put off for one that does not come.
void finish_held(Pipeline& pipeline) {
  pipeline.finish();
  const auto end = std::chrono::steady_clock::now() + last_wait;
  while (pipeline.holds() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(poll_time_holding);
    pipeline.release();
  }
  pipeline.release_all();
  pipeline.finish();  // what was held undecided may have waited for its response
  pipeline.release_all();
}

// Rules that changed, or that SIGHUP asked for.
class Reloads {
 public:
  // Constructed before the first load, so that no change falls between the two.
  explicit Reloads(const RunOptions& options)
      : reloader_(watched_paths(options), [&options]() -> Result<Loaded> {
          const auto begin = std::chrono::steady_clock::now();
          const Result<SharedPlan> plan = load_rules(options);
          if (!plan) return fail(plan.error());
          Loaded loaded{*plan, tables_of(**plan)};
          loaded.load_time = std::chrono::steady_clock::now() - begin;
          return loaded;
        }) {
    if (!reloader_.not_watched().empty()) {
      log::warning("changes of rules and lists are not noticed by themselves ({}); SIGHUP loads them",
                   reloader_.not_watched());
    }
  }

  // From here on rules that are new are held against the history, too. plan: what is in use.
  void hunt_in(const RunOptions& options, SharedPlan plan) {
    if (options.hunt_back.count() == 0) return;
    plan_ = std::move(plan);
    hunt_.emplace(options.history, options.hunt_back);
  }

  // The generation that the agent begins with.
  void first(const PublishedSizes& sizes, std::chrono::nanoseconds load_time) { note(1, sizes, load_time); }

  void apply(kernel::Sensor& sensor, Pipeline& pipeline, const Health& health) {
    tell_of_past(pipeline);
    if (std::exchange(reload_asked, 0) != 0) {
      health.reloading();
      reloader_.request();
    }
    std::optional<Result<Loaded>> outcome = reloader_.take();
    if (!outcome) return;
    const Result<std::string> taken = take(sensor, pipeline, *outcome);
    if (taken) {
      ++state_.reloads;
      log::notice("{}", *taken);
    } else {
      ++state_.reload_failures;
      log::error("reload refused, the rules in use stay: {}", taken.error().message);
    }
    state_.last_refusal = taken ? "" : taken.error().message;
    health.reloaded(taken ? *taken
                          : fmt::format("generation {} stays, the last reload was refused: {}", state_.number,
                                        taken.error().message));
  }

  [[nodiscard]] const health::GenerationState& state() const { return state_; }
  [[nodiscard]] const PublishedSizes& sizes() const { return sizes_; }

 private:
  // A sentence about the generation that is in use then.
  Result<std::string> take(kernel::Sensor& sensor, Pipeline& pipeline, Result<Loaded>& outcome) {
    if (!outcome) return fail(outcome.error());
    Loaded& loaded = *outcome;
    const auto begin = std::chrono::steady_clock::now();
    pipeline.adopt(loaded.plan, state_.number + 1);
    const Result<PublishedSizes> sizes = publish(sensor, std::move(loaded.tables), state_.number + 1);
    if (!sizes) {
      pipeline.withdraw();
      return fail(sizes.error());
    }
    if (hunt_) hunt_->start(std::exchange(plan_, loaded.plan), loaded.plan);
    note(state_.number + 1, *sizes, loaded.load_time + (std::chrono::steady_clock::now() - begin));
    if (loaded.plan->reads_response() && !sensor.sees_responses()) {
      log::warning(
          "a rule that is new reads answer or rcode, and the agent was started without responses: start it again");
    }
    return fmt::format("generation {}: {} and {}, {} in the kernel", state_.number,
                       counted(loaded.plan->rules().size(), "rule"), counted(loaded.plan->lists().size(), "list"),
                       counted(sizes->names, "name"));
  }

  void tell_of_past(Pipeline& pipeline) {
    if (!hunt_) return;
    for (event::Event& event : hunt_->take()) pipeline.tell_of_past(std::move(event));
  }

  void note(std::uint32_t number, const PublishedSizes& sizes, std::chrono::nanoseconds load_time) {
    state_.number = number;
    state_.loaded = std::chrono::system_clock::now();
    state_.load_time = load_time;
    sizes_ = sizes;
  }

  Reloader reloader_;
  health::GenerationState state_;
  PublishedSizes sizes_;
  SharedPlan plan_;  // that is in use, where the next is compared with it
  std::optional<HistoryHunt> hunt_;
};

using RecorderPtr = std::unique_ptr<history::Recorder>;

// None if it was not asked for.
Result<RecorderPtr> open_history(const RunOptions& options) {
  if (options.history.empty()) return RecorderPtr();
  return history::Recorder::start(options.history, history::limits_of_rows(options.history_rows));
}

// After the tables are in place, so that blocking has no gap: what an earlier agent pinned goes, and what goes on after this one
// is pinned in its place.
Result<void> settle_pins(const kernel::Sensor& sensor, bool fail_closed) {
  const Result<std::size_t> earlier = kernel::pinned_links();
  if (sensor.mode() != kernel::Mode::enforce) {
    if (earlier.value_or(0) > 0) {  // whoever may not look there blocks nothing either
      log::warning(
          "an earlier agent failed closed and its programs still block lookups: `nslookout release` ends that");
    }
    return {};
  }
  if (!earlier) return fail(earlier.error());
  if (fail_closed) {
    if (const auto pinned = sensor.pin(); !pinned) return pinned;
  } else if (const auto removed = kernel::remove_pins(); !removed) {
    return fail(removed.error());
  }
  if (*earlier > 0) log::notice("taken over from the programs that an earlier agent left in place");
  if (fail_closed) {
    log::notice(
        "fails closed: the programs are pinned in {} and go on blocking when the agent ends; `nslookout release` "
        "removes them",
        kernel::pin_folder);
  }
  return {};
}

void announce_end(bool fail_closed) {
  const Result<std::size_t> pinned = fail_closed ? kernel::pinned_links() : Result<std::size_t>(0);
  if (pinned && *pinned == 0) return;
  log::notice("the agent ends, and lookups are blocked as before; `nslookout release` ends that");
}

// Says what did not work, once for each kind of trouble.
void report_answers(const Answers& answers, std::string& reported) {
  if (answers.last_failure() == reported) return;
  reported = answers.last_failure();
  log::warning("a blocked lookup got no answer and its client waits: {} ({} so far)", reported, answers.failed());
}

// What the kernel handed over before the end is still written: all that the rings hold, and what there is no time for is counted
// as lost.
Result<void> take_the_rest(kernel::Sensor& sensor, const kernel::Sensor::CandidateHandler& handler,
                           const kernel::Sensor::ResponseHandler& response_handler) {
  sensor.end_watching();
  const Result<bool> all = read_to_the_end(last_reading, [&]() -> Result<bool> {
    const Result<std::size_t> taken = sensor.poll(std::chrono::milliseconds{0}, handler, response_handler);
    if (!taken) return fail(taken.error());
    return sensor.more();
  });
  if (!all) return fail(all.error());
  if (*all) return {};
  const Result<std::uint64_t> discarded = sensor.discard(last_discarding);
  if (!discarded) return fail(discarded.error());
  log::warning("lookups of the last moments are not told, there are too many: {} records", *discarded);
  return {};
}

Result<void> watch(kernel::Sensor& sensor, Pipeline& pipeline, Reloads& reloads, Answers& answers, Health& health) {
  std::string reported_failure;
  auto next_report = std::chrono::steady_clock::now() + loss_report_interval;
  const auto handler = [&](const nsl_candidate& candidate) {
    answers.answer(candidate);  // first: somebody waits for it
    pipeline.handle(candidate);
  };
  const auto response_handler = [&](const nsl_response& response, std::string_view message) {
    pipeline.handle(response, message);
  };
  while (stop_asked == 0 && !pipeline.every_sink_finished()) {
    const bool held = pipeline.holds();
    const Result<std::size_t> taken = sensor.poll(held ? poll_time_holding : poll_time, handler, response_handler);
    if (!taken) return fail(taken.error());
    reloads.apply(sensor, pipeline, health);
    for (const std::string& program : sensor.take_detached()) {
      pipeline.tell_detached(program);
      health.blind(fmt::format("the program {} was taken off its hook", program));
    }
    health.turn();
    if (std::exchange(reopen_asked, 0) != 0) pipeline.reopen();
    answers.retire(static_cast<std::uint64_t>(boot_now().count()));
    report_answers(answers, reported_failure);
    pipeline.release();
    pipeline.expire();
    if (*taken > 0 || held) pipeline.flush();
    if (std::chrono::steady_clock::now() >= next_report) {
      pipeline.count_repeats();
      pipeline.report_losses();
      next_report += loss_report_interval;
    }
  }
  health.stopping();
  const Result<void> taken = take_the_rest(sensor, handler, response_handler);
  finish_held(pipeline);
  pipeline.count_repeats();
  pipeline.report_losses();
  pipeline.flush();
  pipeline.close();
  if (!taken) return fail(taken.error());
  // A supervisor has to see that this end was not asked for.
  if (stop_asked == 0) return fail(ErrorClass::runtime, "no output is left that takes events; start the agent again");
  return {};
}

}  // namespace

Result<void> check_options(const RunOptions& options) {
  if (auto trusted = check_writers(options); !trusted) return trusted;
  if (!options.metrics.empty()) {
    if (auto address = health::parse_http_address(options.metrics); !address) return fail(address.error());
  }
  kernel::SensorOptions unused;
  return set_bypasses(options, unused);
}

Result<void> run(const RunOptions& options) {
  catch_signals_of_the_start();
  const WallTime started = std::chrono::system_clock::now();
  if (const auto enough = check_descriptors(); !enough) return fail(enough.error());
  const ReadyFile ready_file(options.ready_file);
  if (const auto writable = ready_file.check(); !writable) return fail(writable.error());
  Reloads reloads(options);
  const auto load_begin = std::chrono::steady_clock::now();
  const Result<SharedPlan> loaded = load_rules(options);
  if (!loaded) return fail(loaded.error());
  std::chrono::nanoseconds load_time = std::chrono::steady_clock::now() - load_begin;
  const compile::Plan& plan = **loaded;
  if (options.mode != "audit") warn_of_needs(options, plan);
  auto sinks = open_queued_sinks(options.outputs);
  if (!sinks) return fail(sinks.error());
  Result<event::EventIds> ids = event::EventIds::create();
  if (!ids) return fail(ids.error());
  auto history = open_history(options);
  if (!history) return fail(history.error());
  reloads.hunt_in(options, *loaded);
  const auto backend = kernel::backend_from_name(options.backend);
  if (!backend) return fail(ErrorClass::usage, "there is no backend '{}'", options.backend);

  const auto mode = kernel::mode_from_name(options.mode);
  const auto answer = answer_from_name(options.answer);
  const auto hidden_clients = kernel::hidden_clients_from_name(options.hidden_clients);
  if (!mode || !answer || !hidden_clients) {
    return fail(ErrorClass::usage, "there is no mode '{}', no answer '{}' or no --hidden-clients {}", options.mode,
                options.answer, options.hidden_clients);
  }

  const bool fail_closed = options.fail == "closed";
  if (fail_closed) {
    if (const auto possible = kernel::check_pinning(); !possible) return possible;
  }

  const auto health = Health::open(options);
  if (!health) return fail(health.error());

  on_signals({SIGTERM, SIGINT}, ask_to_stop);
  Answers answers(*answer, options.proc);
  const Observe observe = observe_from_name(options.observe);
  const auto allowed = identity::allowed_environment();
  kernel::SensorOptions sensor_options;
  sensor_options.backend = *backend;
  sensor_options.mode = *mode;
  sensor_options.hidden_clients = *hidden_clients;
  sensor_options.ports = options.ports;
  sensor_options.observe_all = observe != Observe::matches;
  sensor_options.unique = observe == Observe::unique;
  sensor_options.observed_per_second = options.observe_rate;
  sensor_options.process_entries = options.process_entries;
  sensor_options.agent = identity::own_pid(options.proc);
  sensor_options.environment_names = {allowed.begin(), allowed.end()};
  sensor_options.responses = responses_to_see(options, plan);
  sensor_options.ring_octets = static_cast<std::uint32_t>(options.ring_octets);
  if (const auto set = set_bypasses(options, sensor_options); !set) return set;
  Result<kernel::Sensor> sensor = kernel::Sensor::start(sensor_options);
  if (!sensor) return fail(refusal(options, sensor.error()));
  const auto publish_begin = std::chrono::steady_clock::now();
  const Result<PublishedSizes> sizes = publish(*sensor, tables_of(plan), 1);
  if (!sizes) return fail(sizes.error());
  load_time += std::chrono::steady_clock::now() - publish_begin;
  if (const auto settled = settle_pins(*sensor, fail_closed); !settled) return settled;
  reloads.first(*sizes, load_time);

  identity::Options identity;
  identity.proc_root = options.proc;
  if (const auto root = kernel::Host().root_cgroup2(); root) identity.cgroup2_mount = *root;
  complete_seeded(*sensor, identity);
  Pipeline pipeline(*loaded, *sensor, *sinks, identity, identity::sources_of(options.runtimes), *ids, observe,
                    options.responses, history->get());
  sensor->on_bypass([&](const nsl_bypass& bypass) { pipeline.handle(bypass, options.ports); });
  warn_of_unseen_responses(*sensor, plan);
  warn_of_unwatched_bypasses(sensor->bypass_watch(), options.proc);
  announce(*sensor, pipeline, sizes->names);
  announce_runtimes(pipeline.runtime_places());
  give_up_privileges(options);
  if (const auto ready = ready_file.write(); !ready) return fail(ready.error());
  (*health)->ready(
      [&] { return make_snapshot(options, *sensor, pipeline, reloads.sizes(), reloads.state(), started); },
      fmt::format("{} and {} watched, backend {}, mode {}", counted(plan.rules().size(), "rule"),
                  counted(plan.lists().size(), "list"), kernel::backend_name(sensor->choice().backend), options.mode));
  const auto watched = watch(*sensor, pipeline, reloads, answers, **health);
  announce_end(fail_closed);
  return watched;
}

}  // namespace nslookout::agent
