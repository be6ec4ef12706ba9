// What `nslookout doctor` finds out: the facts of the host, which backends are usable, and the lookups that nobody can
// see from here or that show up under another process than the one that asked.
//
// A blind spot is "found" when a file of this host shows it, "possible" when nothing on the host can rule it out.
// Nothing is changed and nothing is sent. Sources: nsswitch.conf(5), nscd.conf(5), resolved.conf(5), resolv.conf(5),
// nss-resolve(8), packet(7). Thread rule: values; examine() from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/host.h"
#include "kernel/probe.h"

namespace nslookout::kernel {

// All facts of Host, read once.
struct HostFacts {
  std::optional<std::string> kernel_release;
  bool btf = false;
  Lockdown lockdown = Lockdown::unknown;
  std::vector<Capability> capabilities;
  std::optional<bool> bpf_lsm;
  std::optional<int> perf_event_paranoid;
  std::optional<int> unprivileged_bpf_disabled;
  std::optional<bool> initial_pid_namespace;
  std::optional<bool> initial_user_namespace;
  Memlock memlock;
  Result<std::string> root_cgroup2;
};

[[nodiscard]] HostFacts read_facts(const Host& host);

enum class Certainty { found, possible };

struct BlindSpot {
  std::string id;  // stable, for machines: "nss-resolve"
  Certainty certainty = Certainty::possible;
  std::string evidence;     // the file and what it says; empty when only possible
  std::string consequence;  // what is not seen, or seen under which process
  std::string remedy;       // what to do
};

// Those of the host's configuration, the ones found before the merely possible ones.
[[nodiscard]] std::vector<BlindSpot> find_blind_spots(const Host& host, const BackendProbe& unix_clients = {});

struct Diagnosis {
  HostFacts facts;
  std::vector<BackendProbe> backends;
  std::vector<BlindSpot> blind_spots;  // of the host, of this process's namespaces and of the backend that auto takes

  BackendProbe unix_clients = {};  // of probe_unix_clients()
  BackendProbe bypasses = {};      // of probe_bypasses()

  // The backend that `--backend auto` takes; nullptr when none is usable.
  [[nodiscard]] const BackendProbe* chosen() const;
};

[[nodiscard]] Diagnosis diagnose(const Host& host, std::vector<BackendProbe> backends, BackendProbe unix_clients = {},
                                 BackendProbe bypasses = {});

// How systemd-resolved talks to its servers, as resolved.conf and its drop-ins say: "yes", "no", "opportunistic" and
// where; nothing when no file sets it.
struct DnsOverTls {
  std::string value;
  std::string file;
};
[[nodiscard]] std::optional<DnsOverTls> resolved_dns_over_tls(const Host& host);

// The sources of the hosts line of /etc/nsswitch.conf, in order, without the [actions].
[[nodiscard]] std::vector<std::string> nss_hosts_sources(const Host& host);

// The addresses of the nameserver lines of /etc/resolv.conf, in order.
[[nodiscard]] std::vector<std::string> nameservers(const Host& host);

}  // namespace nslookout::kernel
