#include "identity/ancestors.h"

#include <algorithm>
#include <utility>

#include "event/weight.h"
#include "identity/kernel_process.h"
#include "identity/proc_process.h"
#include "identity/process_facts.h"

namespace nslookout::identity {
namespace {

// What /proc says about a process that lives.
event::Process from_proc(std::uint32_t pid, const ProcProcess& live) {
  const ProcStat& stat = live.stat_at_open();
  event::Process process;
  process.pid = pid;
  process.comm = stat.comm;
  process.parent_pid = stat.parent_pid;
  process.session = stat.session;
  if (const auto ids = live.ids()) {
    process.uid = ids->uid;
    process.gid = ids->gid;
  }
  complete_from(live, process);
  process.cwd = live.cwd().value_or("");
  return process;
}

event::Process from_table(const nsl_process_key& key, const nsl_process& entry, const std::string& proc_root) {
  event::Process process;
  process.pid = key.tgid;
  process.parent_pid = entry.parent.tgid;
  process.uid = entry.uid;
  process.gid = entry.gid;
  add_entry(process, entry);
  if (!is_incomplete(process) || proc_root.empty() || (entry.flags & NSL_PROCESS_KERNEL_THREAD) != 0) return process;
  if (const auto live = ProcProcess::open(proc_root, key)) complete_if_same_program(*live, process);
  return process;
}

// False: there is no room for more behind it.
bool add(Ancestry& ancestry, Ancestor ancestor) {
  ancestry.octets += event::weight_of(ancestor.process);
  ancestry.nearest_first.push_back(std::move(ancestor));
  return ancestry.nearest_first.size() < max_ancestors && ancestry.octets < max_ancestors_octets;
}

// Follows living parents from one that /proc has, itself included, for as long as there is room.
void follow_proc(Ancestry& ancestry, std::uint32_t pid, std::optional<ProcProcess> live, const std::string& proc_root) {
  bool room = true;
  while (live && room) {
    const ProcStat& stat = live->stat_at_open();
    room = add(ancestry,
               {start_boottime(stat.start_ticks), from_proc(pid, *live), split_variables(live->allowed_variables())});
    if (stat.parent_pid == 0) return;
    auto parent = ProcProcess::open_parent(proc_root, stat.parent_pid, stat.start_ticks);
    const auto still = live->stat();
    if (!parent || !still || still->parent_pid != stat.parent_pid) break;
    pid = stat.parent_pid;
    live = std::move(parent);
  }
  ancestry.truncated = true;
}

}  // namespace

std::optional<Variables> variables_of(const ProcessTable& table, const nsl_process_key& key, const nsl_process& entry,
                                      const std::string& proc_root) {
  if (entry.environment == 0) return Variables();
  if (const std::optional<nsl_environment> found = table.environment(entry.environment)) {
    return split_variables({found->text, std::min<std::size_t>(found->length, sizeof found->text)});
  }
  const auto live = proc_root.empty() ? std::nullopt : ProcProcess::open(proc_root, key);
  const std::string comm = text_of(entry.comm);
  if (!live || live->stat_at_open().comm != comm) return std::nullopt;
  const std::string text = live->allowed_variables();
  const auto after = live->stat();
  if (text.empty() || !after || after->comm != comm) return std::nullopt;  // it had some
  return split_variables(text);
}

Ancestry ancestors_of(const nsl_process_key& process, const nsl_process_key& parent, const ProcessTable& table,
                      const std::string& proc_root) {
  Ancestry ancestry;
  nsl_process_key key = parent;
  std::uint64_t younger = process.start_boottime;
  bool room = true;
  while (key.tgid != 0) {
    if (key.start_boottime >= younger || !room) {
      ancestry.truncated = true;
      return ancestry;
    }
    const std::optional<nsl_process> entry = table.process(key);
    if (!entry) {
      follow_proc(ancestry, key.tgid, proc_root.empty() ? std::nullopt : ProcProcess::open(proc_root, key), proc_root);
      return ancestry;
    }
    room = add(ancestry,
               {key.start_boottime, from_table(key, *entry, proc_root), variables_of(table, key, *entry, proc_root)});
    younger = key.start_boottime;
    key = entry->parent;
  }
  return ancestry;
}

}  // namespace nslookout::identity
