// The watch over the Unix sockets of systemd-resolved and nscd: attached while one of them is there, so that a host with
// neither pays nothing, and on kernels that let us.
//
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/bpf_object.h"
#include "kernel/sensor.h"

namespace nslookout::kernel {

class UnixClients {
 public:
  using Owners = std::vector<const BpfObject*>;

  // Looks whether a socket is there, at most once a second, and attaches or detaches. The programs share the maps that
  // the owners have; requests go to the ring nsl_candidates.
  void follow(const Owners& owners);

  // Takes the programs off; follow() is not to be called after that.
  void end() { links_.clear(); }

  [[nodiscard]] const UnixWatch& watch() const { return watch_; }
  [[nodiscard]] std::vector<ProgramRuns> runs() const { return object_ ? object_->runs() : std::vector<ProgramRuns>{}; }

  // Loads and attaches for the moment, for doctor: nothing, or why it does not work here.
  [[nodiscard]] static Result<void> try_out();

 private:
  std::optional<BpfObject> object_;
  std::vector<Link> links_;
  UnixWatch watch_;
  std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace nslookout::kernel
