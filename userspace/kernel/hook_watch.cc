#include "kernel/hook_watch.h"

#include <bpf/bpf.h>

#include <algorithm>

#include "base/log.h"

namespace nslookout::kernel {
namespace {

constexpr std::chrono::seconds look_interval{2};

// A detached link of a cgroup has no cgroup; an updated one has another program.
bool is_off(const Hooked& hooked) {
  bpf_link_info link{};
  std::uint32_t size = sizeof link;
  if (bpf_obj_get_info_by_fd(hooked.link_fd, &link, &size) != 0 || link.type != BPF_LINK_TYPE_CGROUP) return false;
  if (link.cgroup.cgroup_id == 0) return true;
  bpf_prog_info program{};
  size = sizeof program;
  return bpf_obj_get_info_by_fd(hooked.program_fd, &program, &size) == 0 && program.id != link.prog_id;
}

}  // namespace

std::vector<Hooked> hooked(const BpfObject& object, const std::vector<Link>& links) {
  const std::vector<ProgramReport> programs = object.report();
  std::vector<Hooked> out;
  for (std::size_t i = 0; i < std::min(programs.size(), links.size()); ++i) {
    out.push_back(
        {programs[i].name, bpf_program__fd(object.program(programs[i].name.c_str())), bpf_link__fd(links[i].get())});
  }
  return out;
}

bool HookWatch::is_due() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return false;
  next_look_ = now + look_interval;
  return true;
}

void HookWatch::look(const std::vector<Hooked>& programs) {
  for (const Hooked& program : programs) {
    if (told_.contains(program.program) || !is_off(program)) continue;
    told_.insert(program.program);
    log::error(
        "somebody has taken the program {} off its hook: what it sees is not seen any more; start the agent again, and "
        "find out who may call bpf(2) here",
        program.program);
    detached_.push_back(program.program);
  }
}

}  // namespace nslookout::kernel
