#include "kernel/probe.h"

#include "kernel/bypasses.h"
#include "kernel/sensor.h"
#include "kernel/unix_clients.h"

namespace nslookout::kernel {

std::vector<BackendProbe> probe_backends() {
  std::vector<BackendProbe> probes;
  for (const Backend backend : {Backend::fentry, Backend::cgroup, Backend::kprobe}) {
    SensorOptions options;
    options.backend = backend;
    options.ring_octets = 4096;
    options.process_entries = 64;
    const Result<Sensor> sensor = Sensor::start(options);
    probes.push_back(BackendProbe{std::string(backend_name(backend)), sensor.has_value(),
                                  sensor ? "loads and attaches" : sensor.error().message,
                                  sensor ? sensor->seeding_refused() : ""});
  }
  return probes;
}

BackendProbe probe_unix_clients() {
  const Result<void> tried = UnixClients::try_out();
  return {"unix-clients", tried.has_value(), tried ? "loads and attaches" : tried.error().message};
}

BackendProbe probe_bypasses() {
  const Result<void> tried = Bypasses::try_out();
  return {"bypasses", tried.has_value(), tried ? "loads and attaches" : tried.error().message};
}

}  // namespace nslookout::kernel
