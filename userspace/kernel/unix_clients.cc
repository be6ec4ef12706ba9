#include "kernel/unix_clients.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "bpf/objects.h"

namespace nslookout::kernel {
namespace {

constexpr std::chrono::seconds look_interval{1};

Result<BpfObject> load(std::initializer_list<const BpfObject*> owners) {
  const std::string_view bytes(reinterpret_cast<const char*>(nsl_object_unix_clients),
                               static_cast<std::size_t>(nsl_object_unix_clients_end - nsl_object_unix_clients));
  Result<BpfObject> object = BpfObject::open("unix_clients", bytes);
  if (!object) return object;
  for (const BpfObject* owner : owners) {
    if (const auto shared = object->share_maps(*owner); !shared) return fail(shared.error());
  }
  if (const auto loaded = object->load(); !loaded) return fail(loaded.error());
  return object;
}

Result<std::vector<Link>> attach_all(const BpfObject& object) {
  std::vector<Link> links;
  for (const ProgramReport& report : object.report()) {
    Link link(bpf_program__attach(object.program(report.name.c_str())));
    if (!link) {
      return fail(ErrorClass::unsupported, "attaching {}: the kernel refuses it ({})", report.name, errno_text(errno));
    }
    links.push_back(std::move(link));
  }
  return links;
}

std::string socket_of_this_host() {
  const auto* const found = std::ranges::find_if(
      resolver_sockets, [](std::string_view path) { return ::access(std::string(path).c_str(), F_OK) == 0; });
  return found == resolver_sockets.end() ? std::string() : std::string(*found);
}

}  // namespace

void UnixClients::follow(std::initializer_list<const BpfObject*> owners) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return;
  next_look_ = now + look_interval;
  watch_.socket = socket_of_this_host();
  if (watch_.socket.empty() && watch_.watched) {
    links_.clear();
    watch_.watched = false;
    log::notice("no resolver's Unix socket is there any more");
  }
  if (watch_.socket.empty() || watch_.watched || !watch_.refusal.empty()) return;
  Result<void> done;
  if (!object_) {
    Result<BpfObject> object = load(owners);
    if (object) object_ = std::move(*object);
    if (!object) done = fail(object.error());
  }
  if (done) done = attach();
  if (done) {
    watch_.watched = true;
    log::notice("{} is there: who asks over it is watched", watch_.socket);
  } else {
    watch_.refusal = done.error().message;
    log::warning("{} is there, and who asks over it stays hidden: {}", watch_.socket, watch_.refusal);
  }
}

Result<void> UnixClients::attach() {
  Result<std::vector<Link>> links = attach_all(*object_);
  if (!links) return fail(links.error());
  links_ = std::move(*links);
  return {};
}

Result<void> UnixClients::try_out(std::initializer_list<const BpfObject*> owners) {
  const Result<BpfObject> object = load(owners);
  if (!object) return fail(object.error());
  const Result<std::vector<Link>> links = attach_all(*object);
  if (!links) return fail(links.error());
  return {};
}

}  // namespace nslookout::kernel
