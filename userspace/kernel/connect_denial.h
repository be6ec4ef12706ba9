// Denies connecting to the Unix sockets of systemd-resolved and nscd, so that a program sends a DNS query of its own, which the
// tables judge and whose event names it. The resolvers themselves and the agent may connect.
//
// The program is attached while there is a socket to be denied. Where systemd-resolved is denied, the C library goes on to the
// `dns` of the hosts line; so it is denied only where that is there, unless it was asked for. nscd's clients do by themselves
// what it would have done.
// Thread rule: one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/resolver_sockets.h"
#include "base/result.h"
#include "kernel/bpf_object.h"
#include "kernel/hook_watch.h"
#include "kernel/host.h"

namespace nslookout::kernel {

class ConnectDenial {
 public:
  using Inodes = std::array<std::uint64_t, resolver_sockets.size()>;

  // Never denies anything.
  ConnectDenial() = default;

  // asked_for: deny whatever the hosts line says, and fail (unsupported) where this kernel cannot. agent: SensorOptions::agent.
  [[nodiscard]] static Result<ConnectDenial> start(bool asked_for, std::uint32_t agent);

  // Looks at the sockets and the hosts line, at most once a second, and attaches or detaches.
  void follow();

  // The programs that are attached now.
  [[nodiscard]] std::vector<Hooked> hooks() const { return object_ ? hooked(*object_, links_) : std::vector<Hooked>{}; }

  // Loads and attaches for the moment, for doctor: nothing, or why it does not work here.
  [[nodiscard]] static Result<void> try_out();

 private:
  [[nodiscard]] Result<void> load();
  [[nodiscard]] std::uint32_t wanted();
  [[nodiscard]] Result<void> deny(std::uint32_t resolvers);
  void except(std::uint32_t tgid);
  void except_only(std::vector<std::uint32_t> listeners);

  bool active_ = false;
  bool asked_for_ = false;
  bool refused_ = false;
  bool told_of_hosts_line_ = false;
  std::uint32_t agent_ = 0;
  std::uint32_t denied_ = 0;  // bits of 1 << NSL_VARLINK, 1 << NSL_NSCD
  Inodes inodes_{};           // of the sockets; 0: it is not there, or nobody listens yet
  std::vector<std::uint32_t> listeners_;
  Host host_;
  std::optional<BpfObject> object_;
  std::vector<Link> links_;
  std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace nslookout::kernel
