#include "agent/confinement.h"

#include <fmt/ranges.h>

#include "base/log.h"
#include "confine/capabilities.h"
#include "confine/syscall_filter.h"
#include "confine/writable.h"
#include "lists/spec.h"
#include "sink/spec.h"

namespace nslookout::agent {
namespace {

// Those that are opened, made or removed after the start: by rotation, reopening, the spool, at the end.
std::vector<std::string> written_files(const RunOptions& options) {
  std::vector<std::string> files = {options.ready_file, options.history};
  if (options.status_socket.starts_with('/')) files.push_back(options.status_socket);
  for (const std::string& output : options.outputs) {
    const auto spec = sink::parse_spec(output);
    if (!spec) continue;
    files.push_back(spec->path);
    if (!spec->spool.empty()) files.push_back(spec->spool + "/record");
  }
  return files;
}

void add_lists(std::vector<std::string>& paths, const std::vector<std::string>& specs) {
  for (const std::string& list : specs) {
    if (const auto spec = lists::parse_spec(list); spec) paths.push_back(spec->file);
  }
}

}  // namespace

void give_up_privileges(const RunOptions& options) {
  if (!options.sandbox) {
    log::notice("not confined: it keeps the privileges it was started with");
    return;
  }
  const confine::Duties duties{
      .answers = options.mode == "enforce" && options.answer != "none",
      .writes_for_others = confine::others_own(written_files(options)),
  };
  if (const auto kept = confine::keep_capabilities(duties); !kept) {
    log::warning("capabilities stay as they were: {}", kept.error().message);
  } else {
    log::debug("capabilities kept: {}", fmt::join(*kept, ", "));
  }
  if (const auto filtered = confine::filter_syscalls(); !filtered) {
    log::warning("system calls are not confined: {}", filtered.error().message);
  }
}

Result<void> check_writers(const RunOptions& options) {
  if (options.allow_writable) return {};
  std::vector<std::string> paths = options.rules;
  add_lists(paths, options.lists);
  add_lists(paths, options.block.allow);
  add_lists(paths, options.block.allow_only);
  return confine::check_not_writable_by_all(paths);
}

}  // namespace nslookout::agent
