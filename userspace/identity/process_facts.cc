#include "identity/process_facts.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "identity/kernel_process.h"

namespace nslookout::identity {
namespace {

// A command line from /proc can be megabytes long.
constexpr std::size_t max_command_line = 8192;

bool lacks_executable(const event::Process& process) {
  return process.executable.empty() || process.executable_truncated;
}

bool lacks_command_line(const event::Process& process) {
  return process.command_line.empty() || process.command_line_truncated;
}

void complete_executable(event::Process& process, const ProcProcess& live) {
  const auto found = live.executable();
  if (!found) return;
  // Of a path that lies behind many mounts the kernel may have nothing.
  if (!completes(found->path, process.executable)) return;
  process.executable = found->path;
  process.executable_deleted = found->deleted;
  process.executable_truncated = false;
}

void complete_command_line(event::Process& process, const ProcProcess& live) {
  const auto text = live.command_line(max_command_line);
  if (!text || text->empty()) return;
  bool cut = false;
  std::vector<std::string> found = split_command_line(*text, &cut);
  const std::vector<std::string>& known = process.command_line;
  if (!known.empty()) {
    const bool same = found.size() >= known.size() && std::equal(known.begin(), known.end() - 1, found.begin()) &&
                      found[known.size() - 1].starts_with(known.back());
    if (!same) return;
  }
  process.command_line = std::move(found);
  process.command_line_truncated = cut || text->size() >= max_command_line;
}

}  // namespace

void add_entry(event::Process& process, const nsl_process& entry) {
  const std::size_t executable_end = std::min<std::size_t>(entry.executable_length, NSL_PATHS_MAX);
  const std::string_view paths(entry.paths_reversed,
                               std::min<std::size_t>(executable_end + entry.cwd_length, NSL_PATHS_MAX));
  process.executable_truncated = (entry.flags & NSL_PROCESS_EXE_TRUNCATED) != 0;
  process.executable = path_from_reversed(paths.substr(0, executable_end), process.executable_truncated);
  process.executable_deleted = (entry.flags & NSL_PROCESS_EXE_DELETED) != 0;
  process.cwd = path_from_reversed(paths.substr(executable_end), (entry.flags & NSL_PROCESS_CWD_TRUNCATED) != 0);
  const std::string_view argv(entry.argv, std::min<std::size_t>(entry.argv_length, NSL_ARGV_MAX));
  process.command_line = split_command_line(argv, &process.command_line_truncated);
  if ((entry.flags & NSL_PROCESS_ARGV_TRUNCATED) != 0) process.command_line_truncated = true;
  if (entry.script_at != 0 && entry.script_at < argv.size()) {
    const std::string_view script = argv.substr(entry.script_at);
    process.script = script.substr(0, script.find('\0'));
  }
  process.session = entry.session;
  if (entry.namespace_tgid != process.pid) process.namespace_pid = entry.namespace_tgid;
  if (process.comm.empty()) process.comm = text_of(entry.comm);
}

bool is_incomplete(const event::Process& process) { return lacks_executable(process) || lacks_command_line(process); }

void complete_from(const ProcProcess& live, event::Process& process) {
  if (lacks_executable(process)) complete_executable(process, live);
  if (lacks_command_line(process)) complete_command_line(process, live);
}

bool complete_if_same_program(const ProcProcess& live, event::Process& process) {
  if (live.stat_at_open().comm != process.comm) return false;
  if (!is_incomplete(process)) return true;
  event::Process completed = process;
  complete_from(live, completed);
  const auto now = live.stat();
  if (!now || now->comm != process.comm) return false;
  process = std::move(completed);
  return true;
}

}  // namespace nslookout::identity
