// From what the kernel says about a sender to what an event says about it.
//
// Sources, in this order: the candidate (the sender at the moment of the lookup), the kernel's process table (made at
// exec, so also there for a process that has exited), /proc for what only it has (cwd, a path that the kernel had no
// room for) and, where the table has no entry, for the rest. /proc is believed only for a process with the same start
// time and, for a program's own properties, the same comm: an event never names a wrong process; what is not known is
// left out and counted. Lookups that a process had made before it was looked at share that look.
//
//   identity::Resolver resolver({.cgroup2_mount = "/sys/fs/cgroup"});
//   identity::ProcessTable table{.process = …, .environment = …};  // of the sensor
//   auto sender = resolver.describe(candidate, table);
//   event.process = sender.process; event.container = sender.container;
//
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bpf/abi.h"
#include "event/event.h"
#include "identity/accounts.h"
#include "identity/ancestors.h"
#include "identity/cgroup_paths.h"
#include "identity/origin.h"
#include "identity/proc_process.h"

namespace nslookout::identity {

struct Options {
  std::string proc_root = "/proc";  // of the initial pid namespace; another one is not used at all
  std::string passwd_file = "/etc/passwd";
  std::string group_file = "/etc/group";
  std::string cgroup2_mount;  // of the root cgroup2; empty: paths of cgroups come from /proc alone
};

// Candidates by what was known of their sender.
struct ResolverCounters {
  std::uint64_t from_table = 0;           // the kernel's process table had the program
  std::uint64_t from_proc = 0;            // only /proc had it
  std::uint64_t undescribed = 0;          // neither: the event has the candidate's own facts alone
  std::uint64_t unknown = 0;              // no sender at all (NSL_FLAG_SENDER_UNKNOWN)
  std::uint64_t truncated_ancestors = 0;  // the chain of ancestors ends before pid 1
  std::uint64_t lost_variables = 0;       // looks in which variables of the sender or an ancestor were lost
};

struct Sender {
  std::optional<event::Process> process;      // nothing only for an unknown sender
  std::optional<event::Container> container;  // id and runtime
  std::optional<event::Pod> pod;              // the uid alone
  // The process's own and its ancestors', nearest first, of which origin was made. Never null where there is a process; shared
  // by the lookups of one look, which need not copy it.
  std::shared_ptr<const std::vector<ProgramFacts>> programs;
  std::optional<event::Origin> origin;
};

class Resolver {
 public:
  explicit Resolver(const Options& options);

  [[nodiscard]] Sender describe(const nsl_candidate& candidate, const ProcessTable& table);

  [[nodiscard]] const ResolverCounters& counters() const { return counters_; }

  // Whether proc_root can be used. If not, the agent runs in a pid namespace of its own: worth a sentence in the log.
  [[nodiscard]] bool proc_usable() const { return proc_usable_; }

 private:
  static constexpr std::size_t most_looks = 256;  // some ten kB each

  // What a look into the table and /proc showed.
  struct Look {
    std::uint64_t time = 0;  // before it, ns since boot
    Sender sender;           // without what add_thread() adds
    std::uint64_t ResolverCounters::* described_from = nullptr;
  };

  [[nodiscard]] const Look& look_at(const nsl_candidate& candidate, const ProcessTable& table);
  [[nodiscard]] Look look_now(const nsl_candidate& candidate, const ProcessTable& table);
  [[nodiscard]] WallTime start_time(std::uint64_t start_boottime);
  void add_account_names(event::Process& process);
  void add_ancestors(event::Process& process, std::vector<ProgramFacts>& programs, const nsl_process_key& key,
                     const nsl_process_key& parent, const ProcessTable& table);
  void add_cgroup(Sender& sender, const std::string& leaf, const std::optional<ProcProcess>& live);

  std::string proc_root_;
  AccountFile users_;
  AccountFile groups_;
  CgroupPaths cgroup_paths_;
  bool proc_usable_;
  std::chrono::nanoseconds start_offset_{0};
  ResolverCounters counters_;
  std::unordered_map<std::string, Look> looks_;  // by same_sender_key(); let go of all at once when there are too many
};

}  // namespace nslookout::identity
