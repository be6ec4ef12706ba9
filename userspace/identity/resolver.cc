#include "identity/resolver.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "identity/cgroup_name.h"
#include "identity/kernel_process.h"
#include "identity/origin.h"
#include "identity/process_facts.h"

namespace nslookout::identity {
namespace {

// The candidate's own facts: those of the moment of the lookup.
event::Process sender_facts(const nsl_candidate& candidate) {
  const nsl_sender& sender = candidate.sender;
  event::Process process;
  process.pid = sender.process.tgid;
  process.comm = text_of(sender.comm);
  process.uid = sender.uid;
  process.gid = sender.gid;
  process.parent_pid = sender.parent.tgid;
  process.cgroup_id = sender.cgroup_id;
  return process;
}

// What two lookups of one process need not have in common.
void add_thread(const nsl_candidate& candidate, event::Process& process) {
  process.tid = candidate.sender.tid;
  process.thread_comm = text_of(candidate.sender.thread_comm);
  process.sender_from_socket = (candidate.flags & NSL_FLAG_SENDER_FROM_SOCKET) != 0;
}

// Equal for two lookups of the same program in the same state, as far as the kernel told it with them.
std::string same_sender_key(nsl_sender sender) {
  sender.tid = 0;
  std::ranges::fill(sender.thread_comm, '\0');
  return {reinterpret_cast<const char*>(&sender), sizeof sender};
}

// The folder that the program was started in. What the kernel cut is completed where the present one ends the same.
std::string cwd_at_start(const event::Process& process, const nsl_process& entry,
                         const std::optional<std::string>& present) {
  if (!present || (entry.flags & NSL_PROCESS_CWD_TRUNCATED) == 0) return process.cwd;
  return !process.cwd.empty() && completes(*present, process.cwd) ? *present : process.cwd;
}

ProgramFacts program_facts(const event::Process& process, std::optional<Variables> variables) {
  return {.executable = process.executable,
          .command_line = process.command_line,
          .cwd = process.cwd,
          .environment = variables ? std::move(*variables) : Variables(),
          .environment_lost = !variables};
}

}  // namespace

Resolver::Resolver(const Options& options)
    : proc_root_(options.proc_root),
      users_(options.passwd_file),
      groups_(options.group_file),
      cgroup_paths_(options.cgroup2_mount),
      proc_usable_(shows_initial_pid_namespace(options.proc_root)) {}

// The start time of one process must not differ between two events, so small differences of the two clocks (the wall
// clock is slewed, the measurement has its jitter) are ignored up to the precision that /proc has.
WallTime Resolver::start_time(std::uint64_t start_boottime) {
  constexpr std::chrono::milliseconds tolerance{10};
  const auto measured = wall_minus_boot();
  if (std::chrono::abs(measured - start_offset_) > tolerance) start_offset_ = measured;
  return wall_from_boot(start_boottime, start_offset_);
}

void Resolver::add_account_names(event::Process& process) {
  if (process.uid) process.user = users_.name_of(*process.uid);
  if (process.gid) process.group = groups_.name_of(*process.gid);
}

// The id finds the path also after the process's end; on a host with cgroups of version 1 the container shows in those
// alone, which only a live process has.
void Resolver::add_cgroup(Sender& sender, const std::string& leaf, const std::optional<ProcProcess>& live) {
  event::Process& process = *sender.process;
  const std::vector<std::string> live_paths = live ? live->cgroups() : std::vector<std::string>();
  const auto path = cgroup_paths_.path_of(process.cgroup_id);
  process.cgroup = path.value_or(live_paths.empty() ? leaf : live_paths.front());
  std::optional<ContainerName> name = container_of_cgroup(process.cgroup);
  if (!name) name = container_of_cgroup(leaf);
  std::string pod_uid = pod_uid_of_cgroup(process.cgroup);
  for (const std::string& live_path : live_paths) {
    if (!name) name = container_of_cgroup(live_path);
    if (pod_uid.empty()) pod_uid = pod_uid_of_cgroup(live_path);
  }
  if (!pod_uid.empty()) sender.pod = event::Pod{.namespace_name = {}, .name = {}, .uid = pod_uid, .labels = {}};
  if (name) sender.container = event::Container{.id = name->id, .runtime = name->runtime, .name = {}, .image = {}};
}

void Resolver::add_ancestors(event::Process& process, std::vector<ProgramFacts>& programs, const nsl_process_key& key,
                             const nsl_process_key& parent, const ProcessTable& table) {
  Ancestry ancestry = ancestors_of(key, parent, table, proc_usable_ ? proc_root_ : "");
  for (Ancestor& ancestor : ancestry.nearest_first) {
    ancestor.process.start_time = start_time(ancestor.start_boottime);
    add_account_names(ancestor.process);
    programs.push_back(program_facts(ancestor.process, std::move(ancestor.variables)));
    process.ancestors.push_back(std::move(ancestor.process));
  }
  process.ancestors_truncated = ancestry.truncated;
}

Sender Resolver::describe(const nsl_candidate& candidate, const ProcessTable& table) {
  if ((candidate.flags & NSL_FLAG_SENDER_UNKNOWN) != 0 || candidate.sender.process.tgid == 0) {
    ++counters_.unknown;
    return {};
  }
  const Look& look = look_at(candidate, table);
  ++(counters_.*look.described_from);
  if (look.sender.process->ancestors_truncated) ++counters_.truncated_ancestors;
  Sender sender = look.sender;
  add_thread(candidate, *sender.process);
  return sender;
}

// Looking again tells no more of a lookup that was made before the last look: so a burst, which waits in the ring together,
// costs one look for each of its senders.
const Resolver::Look& Resolver::look_at(const nsl_candidate& candidate, const ProcessTable& table) {
  const std::string key = same_sender_key(candidate.sender);
  const auto found = looks_.find(key);
  if (found != looks_.end() && candidate.boottime <= found->second.time) return found->second;
  if (found == looks_.end() && looks_.size() >= most_looks) looks_.clear();
  const auto time = static_cast<std::uint64_t>(boot_now().count());
  Look look = look_now(candidate, table);
  look.time = time;
  return looks_.insert_or_assign(key, std::move(look)).first->second;
}

Resolver::Look Resolver::look_now(const nsl_candidate& candidate, const ProcessTable& table) {
  const nsl_process_key& key = candidate.sender.process;
  const std::optional<nsl_process> entry = table.process(key);
  Look look;
  Sender& sender = look.sender;
  event::Process& process = sender.process.emplace(sender_facts(candidate));
  process.start_time = start_time(key.start_boottime);
  if (entry) {
    add_entry(process, *entry);
    process.parent_pid = entry->parent.tgid;
  }

  const auto live = proc_usable_ ? ProcProcess::open(proc_root_, key) : std::nullopt;
  const bool kernel_thread = entry && (entry->flags & NSL_PROCESS_KERNEL_THREAD) != 0;
  // Another comm may be another program: an exec since the lookup.
  const bool same_program = live && !kernel_thread && complete_if_same_program(*live, process);
  if (same_program && !process.session) process.session = live->stat_at_open().session;
  const std::optional<std::string> cwd = live ? live->cwd() : std::nullopt;
  const std::string started_in = entry ? cwd_at_start(process, *entry, cwd) : cwd.value_or("");
  if (cwd) process.cwd = *cwd;
  look.described_from = entry          ? &ResolverCounters::from_table
                        : same_program ? &ResolverCounters::from_proc
                                       : &ResolverCounters::undescribed;
  add_account_names(process);
  add_cgroup(sender, entry ? text_of(entry->cgroup_leaf) : std::string(), live);
  std::optional<Variables> variables = entry          ? variables_of(table, key, *entry, proc_usable_ ? proc_root_ : "")
                                       : same_program ? split_variables(live->allowed_variables())
                                                      : Variables();
  std::vector<ProgramFacts> programs;
  programs.push_back(program_facts(process, std::move(variables)));
  programs.back().cwd = started_in;  // a program can go where another package's sources are
  add_ancestors(process, programs, key, entry ? entry->parent : candidate.sender.parent, table);
  if (std::ranges::any_of(programs, &ProgramFacts::environment_lost)) ++counters_.lost_variables;
  sender.origin = origin_of(programs);
  sender.programs = std::make_shared<const std::vector<ProgramFacts>>(std::move(programs));
  return look;
}

}  // namespace nslookout::identity
