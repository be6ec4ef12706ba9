#include "kernel/sensor.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "bpf/objects.h"
#include "kernel/bpf_object.h"
#include "kernel/bypasses.h"
#include "kernel/connect_denial.h"
#include "kernel/hook_watch.h"
#include "kernel/pins.h"
#include "kernel/processes.h"
#include "kernel/ring_records.h"
#include "kernel/rings.h"
#include "kernel/root_cgroup.h"
#include "kernel/tables.h"
#include "kernel/telemetry.h"
#include "kernel/unix_clients.h"

namespace nslookout::kernel {
namespace {

// A backend's programs, loaded and attached.
struct Attached {
  BpfObject object;
  std::vector<Link> links;
};

void set_ports(nsl_settings& settings, const std::vector<std::uint16_t>& ports) {
  settings.port_count = static_cast<std::uint32_t>(ports.size());
  std::copy(ports.begin(), ports.end(), settings.ports);
}

std::string_view object_of(Backend backend) {
  switch (backend) {
    case Backend::fentry:
      return embedded(nsl_object_sendmsg_fentry, nsl_object_sendmsg_fentry_end);
    case Backend::kprobe:
      return embedded(nsl_object_sendmsg_kprobe, nsl_object_sendmsg_kprobe_end);
    case Backend::cgroup:
    case Backend::automatic:
      break;
  }
  return embedded(nsl_object_cgroup, nsl_object_cgroup_end);
}

std::uint32_t agent_of(const SensorOptions& options) {
  return options.agent.value_or(static_cast<std::uint32_t>(::getpid()));
}

// The program that sees responses, sharing the backend's table of awaited queries.
Result<Attached> start_responses(const SensorOptions& options, const BpfObject& process, const BpfObject& backend) {
  Result<BpfObject> object = BpfObject::open("responses", embedded(nsl_object_ingress, nsl_object_ingress_end));
  if (!object) return fail(object.error());
  if (const auto shared = object->share_map("nsl_counters", process); !shared) return fail(shared.error());
  if (const auto shared = object->share_map("nsl_awaited", backend); !shared) return fail(shared.error());
  if (const auto sized = object->set_entries("nsl_responses", options.response_ring_octets); !sized) {
    return fail(sized.error());
  }
  if (const auto loaded = object->load(); !loaded) return fail(loaded.error());
  auto settings = object->global<nsl_settings>("nsl_settings");
  if (!settings) return fail(settings.error());
  (*settings)->mode = static_cast<std::uint32_t>(options.mode);
  set_ports(**settings, options.ports);
  (*settings)->wakeup_octets = options.observe_all ? options.response_ring_octets / 64 : 0;
  Result<std::vector<Link>> links = attach_to_root_cgroup(*object);
  if (!links) return fail(links.error());
  return Attached{std::move(*object), std::move(*links)};
}

Result<Attached> start_backend(Backend backend, const SensorOptions& options, const BpfObject& process) {
  Result<BpfObject> object = BpfObject::open(std::string(backend_name(backend)), object_of(backend));
  if (!object) return fail(object.error());
  for (const char* map : {"nsl_processes", "nsl_counters"}) {
    if (const auto shared = object->share_map(map, process); !shared) return fail(shared.error());
  }
  if (const auto sized = object->set_entries("nsl_candidates", options.ring_octets); !sized) return fail(sized.error());
  const std::uint32_t awaited = options.responses == Responses::none ? 1 : options.awaited_entries;
  if (const auto sized = object->set_entries("nsl_awaited", awaited); !sized) return fail(sized.error());
  if (const auto sized = size_telemetry(*object, options); !sized) return fail(sized.error());
  if (const auto loaded = object->load(); !loaded) return fail(loaded.error());

  if (const auto set = set_telemetry(*object, options); !set) return fail(set.error());
  auto settings = object->global<nsl_settings>("nsl_settings");
  if (!settings) return fail(settings.error());
  (*settings)->observe_all = options.observe_all ? 1 : 0;
  (*settings)->mode = static_cast<std::uint32_t>(options.mode);
  set_ports(**settings, options.ports);

  Result<std::vector<Link>> links = backend == Backend::cgroup ? attach_to_root_cgroup(*object) : object->attach();
  if (!links) return fail(links.error());
  return Attached{std::move(*object), std::move(*links)};
}

// Records of the rings that nobody looked at.
struct Discarded {
  std::uint64_t candidates = 0;
  std::uint64_t responses = 0;
  std::uint64_t bypasses = 0;
};

struct Chosen {
  Attached attached;
  BackendChoice choice;
};

// refused: why those before it were not taken.
std::string reason_for(const SensorOptions& options, const std::string& refused) {
  if (options.backend != Backend::automatic) return "asked for";
  if (options.mode != Mode::audit)
    return fmt::format("the one that can do what --mode {} asks", mode_name(options.mode));
  if (refused.empty()) return "the first choice, and it works here";
  return "the first that works here; " + refused;
}

Result<Chosen> choose_backend(const SensorOptions& options, const BpfObject& process) {
  std::vector<Backend> order = {options.backend};
  if (options.backend == Backend::automatic) {
    order = options.mode == Mode::audit ? std::vector{Backend::fentry, Backend::cgroup, Backend::kprobe}
                                        : std::vector{Backend::cgroup};
  }
  std::string refused;
  for (const Backend backend : order) {
    Result<Attached> attached = start_backend(backend, options, process);
    if (attached) {
      BackendChoice choice;
      choice.backend = backend;
      choice.reason = reason_for(options, refused);
      choice.programs = attached->object.report();
      return Chosen{std::move(*attached), std::move(choice)};
    }
    if (options.backend != Backend::automatic) return fail(attached.error());
    if (!refused.empty()) refused += "; ";
    refused += fmt::format("{}: {}", backend_name(backend), attached.error().message);
  }
  return fail(ErrorClass::unsupported, "no backend works here: {}", refused);
}

Result<void> validate(const SensorOptions& options) {
  if (options.mode != Mode::audit && options.backend != Backend::automatic && options.backend != Backend::cgroup) {
    return fail(ErrorClass::usage,
                "--mode {} needs the backend cgroup: {} sees a lookup, and cannot keep it from leaving",
                mode_name(options.mode), backend_name(options.backend));
  }
  if (options.ports.empty() || options.ports.size() > NSL_PORTS_MAX) {
    return fail(ErrorClass::usage, "{} DNS ports given, 1 to {} are possible", options.ports.size(), NSL_PORTS_MAX);
  }
  for (const std::uint32_t octets : {options.ring_octets, options.response_ring_octets, options.observed_ring_octets}) {
    if (octets < 4096 || (octets & (octets - 1)) != 0) {
      return fail(ErrorClass::usage, "a ring of {} octets is impossible: give a power of two, 4096 at least", octets);
    }
  }
  return {};
}

}  // namespace

std::optional<HiddenClients> hidden_clients_from_name(std::string_view name) {
  if (name == "auto") return HiddenClients::automatic;
  if (name == "observe") return HiddenClients::observe;
  if (name == "deny") return HiddenClients::deny;
  return std::nullopt;
}

static_assert(static_cast<int>(Mode::audit) == NSL_MODE_AUDIT && static_cast<int>(Mode::dry_run) == NSL_MODE_DRY_RUN &&
              static_cast<int>(Mode::enforce) == NSL_MODE_ENFORCE);

std::string_view mode_name(Mode mode) {
  if (mode == Mode::audit) return "audit";
  return mode == Mode::dry_run ? "dry-run" : "enforce";
}

std::optional<Mode> mode_from_name(std::string_view name) {
  for (const Mode mode : {Mode::audit, Mode::dry_run, Mode::enforce}) {
    if (name == mode_name(mode)) return mode;
  }
  return std::nullopt;
}

std::string_view backend_name(Backend backend) {
  switch (backend) {
    case Backend::automatic:
      return "auto";
    case Backend::fentry:
      return "fentry";
    case Backend::cgroup:
      return "cgroup";
    case Backend::kprobe:
      return "kprobe";
  }
  return "";
}

std::optional<Backend> backend_from_name(std::string_view name) {
  for (const Backend backend : {Backend::automatic, Backend::fentry, Backend::cgroup, Backend::kprobe}) {
    if (name == backend_name(backend)) return backend;
  }
  return std::nullopt;
}

struct Sensor::State {
  Processes processes;
  Attached backend;
  BackendChoice choice;
  Tables tables;
  std::optional<Attached> responses;
  std::optional<Error> responses_refused;
  Rings rings;
  CandidateHandler handler;
  ResponseHandler response_handler;
  UnixClients unix_clients;
  ConnectDenial connect_denial;
  std::uint64_t unix_requests_unread = 0;
  Discarded discarded;
  std::optional<Bypasses> bypasses;
  BypassWatch bypass_watch;
  BypassHandler bypass_handler;
  HookWatch hook_watch;
  bool ended = false;

  void watch_bypasses(const SensorOptions& options);
  void look_after_hooks();
  Result<void> open_rings();
  // After the backend: candidates wait for responses once somebody looks at those.
  void see_responses(const SensorOptions& options);
};

// Lookups are seen all the same where that does not work.
void Sensor::State::watch_bypasses(const SensorOptions& options) {
  if (!options.bypasses) return;
  Result<Bypasses> watch = Bypasses::start({.ports = options.ports,
                                            .public_resolvers = options.public_resolvers,
                                            .own_resolvers = options.own_resolvers,
                                            .agent = agent_of(options)},
                                           processes.object());
  if (!watch) {
    bypass_watch.refusal = watch.error().message;
    return;
  }
  bypasses = std::move(*watch);
  bypass_watch.watched = true;
  bypass_watch.sockets_refusal = bypasses->sockets_refused();
  std::ranges::move(bypasses->report(), std::back_inserter(choice.programs));
}

void Sensor::State::look_after_hooks() {
  if (!hook_watch.is_due()) return;
  hook_watch.look(hooked(backend.object, backend.links));
  if (responses) hook_watch.look(hooked(responses->object, responses->links));
  hook_watch.look(connect_denial.hooks());
  if (!bypasses) return;
  hook_watch.look(bypasses->hooks());
  bypasses->follow();
}

Result<void> Sensor::State::open_rings() {
  const auto candidates = [this](std::string_view record) { unix_requests_unread += take_candidates(record, handler); };
  for (const char* map : {"nsl_candidates", "nsl_observed"}) {
    if (auto added = rings.add(backend.object.map_fd(map), "lookups", candidates); !added) return added;
  }
  if (bypasses) {
    const auto take = [this](std::string_view record) {
      if (bypass_handler) take_bypass(record, bypass_handler);
    };
    if (auto added = rings.add(bypasses->ring(), "ways around", take); !added) return added;
  }
  if (!responses) return {};
  // Not before the queries that they answer, which a response ring that is full tells in its own way.
  return rings.add_following(responses->object.map_fd("nsl_responses"), "responses", [this](std::string_view record) {
    if (response_handler) take_response(record, response_handler);
  });
}

void Sensor::State::see_responses(const SensorOptions& options) {
  if (options.responses == Responses::none) return;
  Result<Attached> attached = start_responses(options, processes.object(), backend.object);
  if (!attached) {
    responses_refused = attached.error().context("the program that sees responses");
    return;
  }
  responses = std::move(*attached);
  for (ProgramReport& report : responses->object.report()) choice.programs.push_back(std::move(report));
  tables.settings().responses = options.responses == Responses::all ? NSL_RESPONSES_ALL : NSL_RESPONSES_NEEDED;
}

Sensor::Sensor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sensor::Sensor(Sensor&&) noexcept = default;
Sensor& Sensor::operator=(Sensor&&) noexcept = default;
Sensor::~Sensor() = default;

Result<Sensor> Sensor::start(const SensorOptions& options) {
  if (const auto valid = validate(options); !valid) return fail(valid.error());
  Result<Processes> processes = Processes::start(options.process_entries, options.environment_names);
  if (!processes) return fail(processes.error());
  Result<Chosen> chosen = choose_backend(options, processes->object());
  if (!chosen) return fail(chosen.error());
  for (ProgramReport& report : processes->object().report()) chosen->choice.programs.push_back(std::move(report));
  Result<Tables> tables = Tables::of(chosen->attached.object);
  if (!tables) return fail(tables.error());

  auto state = std::make_unique<State>(State{.processes = std::move(*processes),
                                             .backend = std::move(chosen->attached),
                                             .choice = std::move(chosen->choice),
                                             .tables = *tables,
                                             .responses = {},
                                             .responses_refused = {},
                                             .rings = {},
                                             .handler = nullptr,
                                             .response_handler = nullptr,
                                             .unix_clients = {},
                                             .connect_denial = {},
                                             .discarded = {},
                                             .bypasses = {},
                                             .bypass_watch = {},
                                             .bypass_handler = nullptr,
                                             .hook_watch = {},
                                             .ended = false});
  state->see_responses(options);
  state->watch_bypasses(options);
  if (const auto opened = state->open_rings(); !opened) return fail(opened.error());
  state->unix_clients.follow({&state->processes.object(), &state->backend.object});
  if (options.mode == Mode::enforce && options.hidden_clients != HiddenClients::observe) {
    Result<ConnectDenial> denial =
        ConnectDenial::start(options.hidden_clients == HiddenClients::deny, agent_of(options));
    if (!denial) return fail(denial.error());
    state->connect_denial = std::move(*denial);
  }
  return Sensor(std::move(state));
}

Result<void> Sensor::publish(const compile::KernelTables& tables, std::uint32_t number) {
  return state_->tables.publish(tables, number);
}

Result<void> Sensor::pin() const {
  // attach_to_root_cgroup() made a link for each program, in the order of the report
  const std::vector<ProgramReport> programs = state_->backend.object.report();
  std::vector<NamedLink> links;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    links.push_back({programs[i].name, state_->backend.links[i].get()});
  }
  return pin_set(links);
}

Result<std::size_t> Sensor::poll(std::chrono::milliseconds timeout, const CandidateHandler& handler,
                                 const ResponseHandler& response_handler) {
  state_->handler = handler;
  state_->response_handler = response_handler;
  if (!state_->ended) {
    state_->unix_clients.follow({&state_->processes.object(), &state_->backend.object});
    state_->connect_denial.follow();
    state_->look_after_hooks();
  }
  return state_->rings.poll(timeout);
}

bool Sensor::more() const { return state_->rings.more(); }

void Sensor::end_watching() {
  state_->ended = true;
  state_->backend.links.clear();
  if (state_->responses) state_->responses->links.clear();
  state_->unix_clients.end();
  if (state_->bypasses) state_->bypasses->end();
}

Result<std::uint64_t> Sensor::discard(std::chrono::milliseconds limit) {
  Discarded& discarded = state_->discarded;
  state_->handler = [&](const nsl_candidate&) { ++discarded.candidates; };
  state_->response_handler = [&](const nsl_response&, std::string_view) { ++discarded.responses; };
  state_->bypass_handler = [&](const nsl_bypass&) { ++discarded.bypasses; };
  const auto end = std::chrono::steady_clock::now() + limit;
  do {
    if (const auto taken = state_->rings.poll(std::chrono::milliseconds{0}); !taken) return fail(taken.error());
  } while (more() && std::chrono::steady_clock::now() < end);
  return discarded.candidates + discarded.responses + discarded.bypasses;
}

Mode Sensor::mode() const { return static_cast<Mode>(state_->tables.settings().mode); }

void Sensor::on_bypass(BypassHandler handler) { state_->bypass_handler = std::move(handler); }

const BypassWatch& Sensor::bypass_watch() const { return state_->bypass_watch; }

std::vector<std::string> Sensor::take_detached() { return state_->hook_watch.take_detached(); }

bool Sensor::sees_responses() const { return state_->responses.has_value(); }

const BackendChoice& Sensor::choice() const { return state_->choice; }

const UnixWatch& Sensor::unix_watch() const { return state_->unix_clients.watch(); }
const std::optional<Error>& Sensor::responses_refused() const { return state_->responses_refused; }

Result<Counters> Sensor::counters() const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return fail(ErrorClass::runtime, "counting the CPUs: {}", errno_text(-cpus));
  Counters counters(NSL_COUNTER_MAX, 0);
  std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(cpus));
  const int fd = state_->processes.object().map_fd("nsl_counters");
  for (std::uint32_t i = 0; i < NSL_COUNTER_MAX; ++i) {
    if (bpf_map_lookup_elem(fd, &i, per_cpu.data()) != 0) {
      return fail(ErrorClass::runtime, "reading the counters: {}", errno_text(errno));
    }
    for (const std::uint64_t value : per_cpu) counters[i] += value;
  }
  counters[NSL_COUNT_unix_request_unread] += state_->unix_requests_unread;
  counters[NSL_COUNT_ring_full] += state_->discarded.candidates;
  counters[NSL_COUNT_response_ring_full] += state_->discarded.responses;
  counters[NSL_COUNT_bypass_ring_full] += state_->discarded.bypasses;
  counters[NSL_COUNT_program_missed] += state_->backend.object.recursion_misses();
  return counters;
}

Result<std::vector<Repeats>> Sensor::repeats() const { return read_repeats(state_->backend.object); }

std::vector<ProgramRuns> Sensor::program_runs() const {
  std::vector<ProgramRuns> runs = state_->processes.object().runs();
  const auto add = [&](std::vector<ProgramRuns> more) { runs.insert(runs.end(), more.begin(), more.end()); };
  add(state_->backend.object.runs());
  if (state_->responses) add(state_->responses->object.runs());
  add(state_->unix_clients.runs());
  if (state_->bypasses) add(state_->bypasses->runs());
  return runs;
}

std::optional<nsl_process> Sensor::process(const nsl_process_key& key) const { return state_->processes.find(key); }

std::optional<nsl_environment> Sensor::environment(std::uint64_t key) const {
  return state_->processes.environment(key);
}

const std::vector<nsl_process_key>& Sensor::seeded() const { return state_->processes.seeded(); }
const std::string& Sensor::seeding_refused() const { return state_->processes.seeding_refused(); }

void Sensor::complete_seeded(const nsl_process_key& key, std::string_view arguments, std::string_view variables) const {
  state_->processes.complete(key, arguments, variables);
}

}  // namespace nslookout::kernel
