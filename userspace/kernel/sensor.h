// The kernel side, loaded and running: choice of the backend, tables, the ring of candidates, the process table.
// This folder is the only user of libbpf.
//
//   auto sensor = kernel::Sensor::start({.backend = Backend::automatic});
//   sensor->publish(tables, 1);
//   while (running) sensor->poll(100ms, [](const nsl_candidate& candidate) { … });
//
// Nothing is pinned unless pin() is called: programs and maps go when the Sensor (or the process, however it dies) goes.
// Thread rule: one thread polls; publish, counters and process lookups may come from another.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "bpf/abi.h"
#include "compile/kernel_tables.h"
#include "kernel/ring_records.h"

namespace nslookout::kernel {

enum class Backend { automatic, fentry, cgroup, kprobe };

[[nodiscard]] std::string_view backend_name(Backend backend);  // "auto", "fentry", "cgroup", "kprobe"
[[nodiscard]] std::optional<Backend> backend_from_name(std::string_view name);

// Of which queries the responses are handed over.
enum class Responses : std::uint8_t {
  none,
  needed,  // those that the published tables say (KernelPredicates::awaited)
  all,     // every candidate
};

// What becomes of queries that the published tables block.
enum class Mode : std::uint8_t {
  audit,    // they leave
  dry_run,  // they leave; their candidates say that they would not have
  enforce,  // they do not leave; their candidates say so
};

[[nodiscard]] std::string_view mode_name(Mode mode);  // "audit", "dry-run", "enforce"
[[nodiscard]] std::optional<Mode> mode_from_name(std::string_view name);

// What becomes, in the mode enforce, of connecting to the Unix sockets of systemd-resolved and nscd (kernel/connect_denial.h).
enum class HiddenClients : std::uint8_t {
  automatic,  // denied where this kernel can and where programs ask by DNS then
  observe,    // allowed
  deny,       // denied; the sensor does not start where it cannot be
};

[[nodiscard]] std::optional<HiddenClients> hidden_clients_from_name(
    std::string_view name);  // "auto", "observe", "deny"

struct SensorOptions {
  Mode mode = Mode::audit;  // the others need the cgroup backend, and automatic takes that then
  Backend backend = Backend::automatic;
  std::vector<std::uint16_t> ports = {53};  // 1 to NSL_PORTS_MAX DNS ports
  bool observe_all = false;                 // every query is a candidate
  // With observe_all, of what leaves for that alone (bpf/telemetry.bpf.h). Hits are never held back.
  bool unique = false;                             // of a program, name and record type the first query alone
  std::uint32_t observed_per_second = 1000;        // of one process, on average; 0: any number
  std::uint32_t observed_ring_octets = 16u << 20;  // a ring of their own, so that they push out no hit
  std::uint32_t told_entries = 65536;              // lookups that unique remembers (about 100 octets each)
  std::uint32_t ring_octets = 16u << 20;           // a power of two, at least a page
  std::uint32_t process_entries = 16384;           // of the kernel's process table (about 1.6 kB each)
  // Variables whose values are kept of the environments of programs; of all others nothing leaves the kernel.
  std::vector<std::string_view> environment_names = {};
  Responses responses = Responses::none;
  HiddenClients hidden_clients = HiddenClients::automatic;
  std::uint32_t response_ring_octets = 4u << 20;  // likewise; a ring of their own, so that they push out no candidate
  bool bypasses = false;                          // ways around the sensor are watched (kernel/bypasses.h)
  std::vector<IpAddress> public_resolvers = {};   // known to answer encrypted queries
  std::vector<IpAddress> own_resolvers = {};      // that this host may ask, beside those of its resolv.conf
  // The sensor's own process, as the initial pid namespace numbers it; 0: not known. It may connect to every resolver, and nothing
  // is told of its sockets. Unset: as getpid() says, which is true in the initial namespace alone.
  std::optional<std::uint32_t> agent = {};
  std::uint32_t awaited_entries = 32768;  // queries whose response is waited for at once (about 100 octets each)
};

// A program as the kernel took it.
struct ProgramReport {
  std::string name;
  std::uint32_t verified_instructions = 0;  // instructions the verifier processed
  std::uint32_t loaded_instructions = 0;    // BPF instructions after the verifier's rewriting
};

struct BackendChoice {
  Backend backend = Backend::automatic;  // the one in use, never automatic
  std::string reason;                    // one sentence: why this one, and why not the ones before it
  std::vector<ProgramReport> programs;
};

// How often a lookup was made that unique told once.
struct Repeats {
  std::uint32_t told = 0;   // nsl_candidate.told of the one that left
  std::uint64_t count = 0;  // with that one
  std::uint64_t last = 0;   // ns since boot
};

// What a program has done so far, while the kernel measures (kernel.bpf_stats_enabled).
struct ProgramRuns {
  std::string name;
  std::uint64_t runs = 0;
  std::chrono::nanoseconds time{0};
};

// Values of the kernel's counters, indexed by nsl_counter and summed over the CPUs.
using Counters = std::vector<std::uint64_t>;

// The watch over the Unix sockets of resolvers on this host (systemd-resolved, nscd).
struct UnixWatch {
  std::string socket;  // one that is there; empty: none
  bool watched = false;
  std::string refusal;                       // why it is not watched although there is one
  std::vector<ProgramReport> programs = {};  // that watch it
};

// The watch over ways around the sensor.
struct BypassWatch {
  bool watched = false;
  std::string refusal;          // why not, although it was asked for
  std::string sockets_refusal;  // why open packet sockets are not looked for; empty: they are
};

class Sensor {
 public:
  using BypassHandler = kernel::BypassHandler;
  using CandidateHandler = kernel::CandidateHandler;
  using ResponseHandler = kernel::ResponseHandler;

  // Loads and attaches. Errors: unsupported (kernel or privilege), runtime. On an error nothing stays attached.
  [[nodiscard]] static Result<Sensor> start(const SensorOptions& options);

  Sensor(const Sensor&) = delete;
  Sensor& operator=(const Sensor&) = delete;
  Sensor(Sensor&&) noexcept;
  Sensor& operator=(Sensor&&) noexcept;
  ~Sensor();

  // Makes the tables the ones in use, with one atomic step; a failure leaves the old ones running. number is copied
  // to every candidate that these tables let pass; the caller counts it up from 1.
  [[nodiscard]] Result<void> publish(const compile::KernelTables& tables, std::uint32_t number);

  // Waits at most timeout for candidates, hands over those that are there, returns how many. The reference is valid
  // during the call alone. Under a flood a call ends all the same (kernel/rings.h), and more() is true.
  [[nodiscard]] Result<std::size_t> poll(std::chrono::milliseconds timeout, const CandidateHandler& handler) {
    return poll(timeout, handler, nullptr);
  }

  // The same with responses. One may come before its query's candidate.
  [[nodiscard]] Result<std::size_t> poll(std::chrono::milliseconds timeout, const CandidateHandler& handler,
                                         const ResponseHandler& response_handler);

  [[nodiscard]] bool more() const;

  // Takes the programs that fill the rings off their hooks: what poll() gives after that is what the rings hold. Pinned ones stay.
  void end_watching();

  // Lets go of what the rings hold, for at most that long, and counts it as lost (ring_full, response_ring_full,
  // bypass_ring_full). How many records.
  [[nodiscard]] Result<std::uint64_t> discard(std::chrono::milliseconds limit);

  // Takes the ways around the sensor that poll() comes across. The reference is valid during the call alone.
  void on_bypass(BypassHandler handler);
  [[nodiscard]] const BypassWatch& bypass_watch() const;
  // Programs that somebody took off their hooks since the last call, each once; seen within two seconds.
  [[nodiscard]] std::vector<std::string> take_detached();

  // From here on the backend's programs outlive the process, with the tables published last, and what an earlier agent
  // pinned is removed (kernel/pins.h). The others go with the Sensor as before.
  [[nodiscard]] Result<void> pin() const;

  // Nothing where responses are seen, or were not asked for; else why they are not.
  [[nodiscard]] const std::optional<Error>& responses_refused() const;

  [[nodiscard]] bool sees_responses() const;
  [[nodiscard]] Mode mode() const;

  [[nodiscard]] const BackendChoice& choice() const;
  [[nodiscard]] const UnixWatch& unix_watch() const;
  [[nodiscard]] Result<Counters> counters() const;
  // Of every program that is loaded. From the thread that polls.
  [[nodiscard]] std::vector<ProgramRuns> program_runs() const;

  // Of each lookup that the kernel remembers to have told; empty without SensorOptions::unique.
  [[nodiscard]] Result<std::vector<Repeats>> repeats() const;

  // The entry of the kernel's process table; nothing when it was evicted or never made.
  [[nodiscard]] std::optional<nsl_process> process(const nsl_process_key& key) const;
  // The listed variables that a program was started with; key: nsl_process.environment.
  [[nodiscard]] std::optional<nsl_environment> environment(std::uint64_t key) const;
  // The processes that ran before the sensor did, and why they could not be found (empty if they could): they get into
  // the table at their first fork, exec or candidate then.
  [[nodiscard]] const std::vector<nsl_process_key>& seeded() const;
  [[nodiscard]] const std::string& seeding_refused() const;
  // Adds to a seeded process what the kernel could not read of it: arguments each closed by NUL, and the listed
  // variables, "NAME=value" each closed by NUL. Nothing is done when it has run another program since.
  void complete_seeded(const nsl_process_key& key, std::string_view arguments, std::string_view variables) const;

 private:
  struct State;
  explicit Sensor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nslookout::kernel
