// Whether the sensor's programs are on their hooks: whoever may call bpf(2) can detach a link, or put another program into it.
//
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernel/bpf_object.h"

namespace nslookout::kernel {

// A program on its hook.
struct Hooked {
  std::string program;
  int program_fd = -1;
  int link_fd = -1;
};

// The programs of an object that attach_to_root_cgroup() attached, in that order.
[[nodiscard]] std::vector<Hooked> hooked(const BpfObject& object, const std::vector<Link>& links);

class HookWatch {
 public:
  // True every two seconds: time for a look.
  [[nodiscard]] bool is_due();
  // Links of other kinds than a cgroup's cannot be detached while the agent holds them, and are not looked at.
  void look(const std::vector<Hooked>& programs);

  // Programs that are not on their hooks any more, since the last call; each once.
  [[nodiscard]] std::vector<std::string> take_detached() { return std::exchange(detached_, {}); }

 private:
  std::set<std::string> told_;
  std::vector<std::string> detached_;
  std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace nslookout::kernel
