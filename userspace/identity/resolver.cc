#include "identity/resolver.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "identity/cgroup_name.h"
#include "identity/kernel_process.h"

namespace nslookout::identity {
namespace {

// A command line from /proc can be megabytes long.
constexpr std::size_t max_command_line = 8192;

// The candidate's own facts: those of the moment of the lookup.
event::Process sender_facts(const nsl_candidate& candidate) {
  const nsl_sender& sender = candidate.sender;
  event::Process process;
  process.pid = sender.process.tgid;
  process.tid = sender.tid;
  process.comm = text_of(sender.comm);
  process.thread_comm = text_of(sender.thread_comm);
  process.uid = sender.uid;
  process.gid = sender.gid;
  process.parent_pid = sender.parent.tgid;
  process.cgroup_id = sender.cgroup_id;
  process.sender_from_socket = (candidate.flags & NSL_FLAG_SENDER_FROM_SOCKET) != 0;
  return process;
}

void add_entry(event::Process& process, const nsl_process& entry) {
  const std::string_view executable(entry.executable_reversed,
                                    std::min<std::size_t>(entry.executable_length, NSL_PATH_MAX));
  process.executable_truncated = (entry.flags & NSL_PROCESS_EXE_TRUNCATED) != 0;
  process.executable = path_from_reversed(executable, process.executable_truncated);
  process.executable_deleted = (entry.flags & NSL_PROCESS_EXE_DELETED) != 0;
  const std::string_view argv(entry.argv, std::min<std::size_t>(entry.argv_length, NSL_ARGV_MAX));
  process.command_line = split_command_line(argv);
  process.command_line_truncated = (entry.flags & NSL_PROCESS_ARGV_TRUNCATED) != 0;
  process.session = entry.session;
  if (entry.namespace_tgid != process.pid) process.namespace_pid = entry.namespace_tgid;
  if (process.comm.empty()) process.comm = text_of(entry.comm);
}

// The path as /proc has it is taken where the kernel had none, or had only its end.
void complete_executable(event::Process& process, const ProcProcess& live) {
  if (!process.executable.empty() && !process.executable_truncated) return;
  const auto found = live.executable();
  if (!found) return;
  const std::string_view known = std::string_view(process.executable).substr(process.executable_truncated ? 3 : 0);
  if (!found->path.ends_with(known)) return;
  process.executable = found->path;
  process.executable_deleted = found->deleted;
  process.executable_truncated = false;
}

// Likewise; a process may have written over its arguments, so a longer line must begin with what exec was given.
void complete_command_line(event::Process& process, const ProcProcess& live) {
  if (!process.command_line.empty() && !process.command_line_truncated) return;
  const auto text = live.command_line(max_command_line);
  if (!text || text->empty()) return;
  std::vector<std::string> found = split_command_line(*text);
  const std::vector<std::string>& known = process.command_line;
  if (!known.empty()) {
    const bool same = found.size() >= known.size() && std::equal(known.begin(), known.end() - 1, found.begin()) &&
                      found[known.size() - 1].starts_with(known.back());
    if (!same) return;
  }
  process.command_line = std::move(found);
  process.command_line_truncated = text->size() >= max_command_line;
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
  for (const std::string& live_path : live_paths) {
    if (!name) name = container_of_cgroup(live_path);
  }
  if (name) sender.container = event::Container{.id = name->id, .runtime = name->runtime, .name = {}, .image = {}};
}

Sender Resolver::describe(const nsl_candidate& candidate, const std::optional<nsl_process>& entry) {
  const nsl_process_key& key = candidate.sender.process;
  if ((candidate.flags & NSL_FLAG_SENDER_UNKNOWN) != 0 || key.tgid == 0) {
    ++counters_.unknown;
    return {};
  }
  Sender sender;
  event::Process& process = sender.process.emplace(sender_facts(candidate));
  process.start_time = start_time(key.start_boottime);
  if (entry) add_entry(process, *entry);

  const auto live = proc_usable_ ? ProcProcess::open(proc_root_, key) : std::nullopt;
  const auto stat = live ? live->stat() : std::nullopt;
  // Another comm may be another program: an exec since the lookup.
  const bool same_program = stat && stat->comm == process.comm;
  const bool kernel_thread = entry && (entry->flags & NSL_PROCESS_KERNEL_THREAD) != 0;
  if (same_program && !kernel_thread) {
    complete_executable(process, *live);
    complete_command_line(process, *live);
    if (!process.session) process.session = stat->session;
  }
  if (live) process.cwd = live->cwd().value_or("");
  if (entry) {
    ++counters_.from_table;
  } else {
    ++(same_program ? counters_.from_proc : counters_.undescribed);
  }
  add_account_names(process);
  add_cgroup(sender, entry ? text_of(entry->cgroup_leaf) : std::string(), live);
  return sender;
}

}  // namespace nslookout::identity
