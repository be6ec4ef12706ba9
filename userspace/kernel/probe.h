// Which backends this host lets us use: each one is loaded and attached for real, then taken down again, because
// nothing short of that tells (lockdown, LSMs and distribution patches refuse at different steps).
// Thread rule: one call at a time.
#pragma once

#include <string>
#include <vector>

namespace nslookout::kernel {

struct BackendProbe {
  std::string name;                  // "fentry", "cgroup", "kprobe"
  bool usable = false;               // it loaded and attached
  std::string reason;                // one sentence: what the kernel said, or what speaks for this backend
  std::string seeding_refused = {};  // why processes that ran before cannot be found with it; empty: they can
};

// All backends in the order in which `--backend auto` tries them. Leaves nothing attached.
[[nodiscard]] std::vector<BackendProbe> probe_backends();

// Whether the clients of resolvers' Unix sockets (systemd-resolved, nscd) can be seen; its name is "unix-clients".
[[nodiscard]] BackendProbe probe_unix_clients();

// Whether ways around the sensor can be told; its name is "bypasses".
[[nodiscard]] BackendProbe probe_bypasses();

}  // namespace nslookout::kernel
