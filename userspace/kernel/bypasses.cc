#include "kernel/bypasses.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/fd.h"
#include "base/log.h"
#include "base/nameservers.h"
#include "bpf/objects.h"
#include "kernel/host.h"
#include "kernel/processes.h"
#include "kernel/root_cgroup.h"

namespace nslookout::kernel {
namespace {

constexpr std::uint32_t own_resolvers_most = 256;
// The host's own, and what systemd-resolved asks for those that ask its stub.
constexpr std::array resolver_files = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"};

// In the order of the files; the most that the table has room for.
std::vector<IpAddress> own_resolvers(const Host& host, std::vector<IpAddress> asked_for) {
  std::vector<IpAddress> own = std::move(asked_for);
  for (const char* file : resolver_files) {
    for (const IpAddress& server : nameservers_of(host.read_file(file).value_or(""))) {
      if (std::ranges::find(own, server) == own.end()) own.push_back(server);
    }
  }
  if (own.size() > own_resolvers_most) own.resize(own_resolvers_most);
  return own;
}

Result<BpfObject> open_shared(const char* name, std::string_view bytes, const BpfObject& process) {
  Result<BpfObject> object = BpfObject::open(name, bytes);
  if (!object) return object;
  for (const char* map : {"nsl_processes", "nsl_counters"}) {
    if (const auto shared = object->share_map(map, process); !shared) return fail(shared.error());
  }
  return object;
}

}  // namespace

nsl_address kernel_address(const IpAddress& address) {
  nsl_address out{};
  std::ranges::copy(address.octets, out.octets);
  out.family = address.v4 ? 4 : 6;
  return out;
}

IpAddress ip_address_of(const nsl_address& address) {
  IpAddress out;
  out.v4 = address.family == 4;
  std::ranges::copy(address.octets, out.octets.begin());
  return out;
}

Result<Bypasses> Bypasses::start(const Options& options, const BpfObject& process) {
  Result<BpfObject> object = open_shared("bypass", embedded(nsl_object_bypass, nsl_object_bypass_end), process);
  if (!object) return fail(object.error());
  const auto entries = static_cast<std::uint32_t>(options.public_resolvers.size()) + own_resolvers_most;
  if (const auto sized = object->set_entries("nsl_resolvers", entries); !sized) return fail(sized.error());
  if (const auto loaded = object->load(); !loaded) return fail(loaded.error());
  const auto settings = object->global<nsl_settings>("nsl_settings");
  if (!settings) return fail(settings.error());
  (*settings)->port_count = static_cast<std::uint32_t>(options.ports.size());
  std::ranges::copy(options.ports, (*settings)->ports);
  const auto agent = object->global<std::uint32_t>("nsl_bypass_agent");
  if (!agent) return fail(agent.error());
  **agent = options.agent;

  Bypasses bypasses(std::move(*object));
  bypasses.public_ = options.public_resolvers;
  bypasses.asked_for_ = options.own_resolvers;
  bypasses.agent_ = options.agent;
  if (const auto listed = bypasses.list_resolvers(); !listed) return fail(listed.error());
  Result<std::vector<Link>> links = attach_to_root_cgroup(bypasses.connections_);
  if (!links) return fail(links.error());
  bypasses.links_ = std::move(*links);
  if (const auto loaded = bypasses.load_sockets(process); !loaded) bypasses.sockets_refused_ = loaded.error().message;
  return bypasses;
}

Result<void> Bypasses::load_sockets(const BpfObject& process) {
  Result<BpfObject> object = open_shared("sockets", embedded(nsl_object_sockets, nsl_object_sockets_end), process);
  if (!object) return fail(object.error());
  for (const char* map : {"nsl_bypasses", "nsl_bypasses_told"}) {
    if (const auto shared = object->share_map(map, connections_); !shared) return fail(shared.error());
  }
  if (const auto loaded = object->load(); !loaded) return fail(loaded.error());
  const auto agent = object->global<std::uint32_t>("nsl_bypass_agent");
  if (!agent) return fail(agent.error());
  **agent = agent_;
  Link iterator(bpf_program__attach_iter(object->program("nsl_look_at_file"), nullptr));
  if (!iterator) return fail(ErrorClass::unsupported, "attaching the file iterator: {}", errno_text(errno));
  iterator_ = std::move(iterator);
  sockets_ = std::move(*object);
  return {};
}

Result<void> Bypasses::list_resolvers() {
  std::vector<IpAddress> own = own_resolvers(Host(), asked_for_);
  if (listed_ && own == own_) return {};
  const int fd = connections_.map_fd("nsl_resolvers");
  const auto set = [&](const IpAddress& address, std::uint32_t flags) {
    const nsl_address key = kernel_address(address);
    return bpf_map_update_elem(fd, &key, &flags, BPF_ANY) == 0;
  };
  for (const IpAddress& address : own_) {  // those that are no more
    if (std::ranges::find(own, address) != own.end()) continue;
    const nsl_address key = kernel_address(address);
    bpf_map_delete_elem(fd, &key);
  }
  bool all = true;
  for (const IpAddress& address : public_) all = set(address, NSL_RESOLVER_PUBLIC) && all;
  for (const IpAddress& address : own) all = set(address, NSL_RESOLVER_OWN) && all;
  own_ = std::move(own);
  listed_ = all;
  if (!all) return fail(ErrorClass::runtime, "listing the resolvers: {}", errno_text(errno));
  return {};
}

Result<void> Bypasses::look_at_sockets() {
  const Fd run(bpf_iter_create(bpf_link__fd(iterator_.get())));
  if (!run.valid()) return fail(ErrorClass::runtime, "running the file iterator: {}", errno_text(errno));
  std::array<char, 512> nothing{};  // the program writes to its ring alone
  for (;;) {
    const ssize_t got = ::read(run.get(), nothing.data(), nothing.size());
    if (got == 0) return {};
    if (got < 0 && errno != EINTR && errno != EAGAIN) {
      return fail(ErrorClass::runtime, "reading the file iterator: {}", errno_text(errno));
    }
  }
}

void Bypasses::follow() {
  if (const auto listed = list_resolvers(); !listed && listed.error().message != resolvers_refused_) {
    resolvers_refused_ = listed.error().message;
    log::warning("ways around the sensor: {}", resolvers_refused_);
  }
  if (!sockets_) return;
  if (const auto looked = look_at_sockets(); !looked) {
    sockets_refused_ = looked.error().message;
    log::warning("open packet sockets are not looked for any more: {}", sockets_refused_);
    iterator_.reset();
    sockets_.reset();
  }
}

void Bypasses::end() {
  links_.clear();
  iterator_.reset();
}

std::vector<ProgramReport> Bypasses::report() const {
  std::vector<ProgramReport> programs = connections_.report();
  if (sockets_) std::ranges::move(sockets_->report(), std::back_inserter(programs));
  return programs;
}

std::vector<ProgramRuns> Bypasses::runs() const {
  std::vector<ProgramRuns> runs = connections_.runs();
  if (sockets_) std::ranges::move(sockets_->runs(), std::back_inserter(runs));
  return runs;
}

Result<void> Bypasses::try_out() {
  const Result<Processes> processes = Processes::start(1024, {});
  if (!processes) return fail(processes.error());
  const Result<Bypasses> bypasses = start({.ports = {53}, .public_resolvers = {}}, processes->object());
  if (!bypasses) return fail(bypasses.error());
  if (!bypasses->sockets_refused_.empty()) {
    return fail(ErrorClass::unsupported, "open packet sockets: {}", bypasses->sockets_refused_);
  }
  return {};
}

}  // namespace nslookout::kernel
