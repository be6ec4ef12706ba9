#include "kernel/unix_clients.h"

#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/resolver_sockets.h"
#include "bpf/objects.h"

namespace nslookout::kernel {
namespace {

using Owners = UnixClients::Owners;

constexpr std::chrono::seconds look_interval{1};

struct Watched {
  BpfObject object;
  std::vector<Link> links;
};

// absent: a program of the object whose function this kernel has not, and does without; or none.
Result<Watched> start(const char* name, std::string_view bytes, const Owners& owners, const char* absent = nullptr) {
  Result<BpfObject> object = BpfObject::open(name, bytes);
  if (!object) return fail(object.error());
  for (const BpfObject* owner : owners) {
    if (const auto shared = object->share_maps(*owner); !shared) return fail(shared.error());
  }
  if (absent != nullptr) {
    if (const auto left = object->leave_out(absent); !left) return fail(left.error());
  }
  if (const auto loaded = object->load(); !loaded) return fail(loaded.error());
  Result<std::vector<Link>> links = object->attach();
  if (!links) return fail(links.error());
  return Watched{std::move(*object), std::move(*links)};
}

// The tracepoint costs other sockets' users least; the function's entry is for kernels without it.
Result<Watched> start_best(const Owners& owners) {
  route_libbpf_messages();
  Error refused{ErrorClass::unsupported, "the kernel has no tracepoint sk_data_ready, which Linux 6.3 and later have"};
  if (libbpf_find_vmlinux_btf_id("sk_data_ready", BPF_TRACE_RAW_TP) >= 0) {
    Result<Watched> watched =
        start("unix_clients", embedded(nsl_object_unix_clients, nsl_object_unix_clients_end), owners);
    if (watched) return watched;
    refused = watched.error();
  }
  // Gone with Linux 6.5: pages are sent by unix_stream_sendmsg there.
  const bool has_sendpage = libbpf_find_vmlinux_btf_id("unix_stream_sendpage", BPF_TRACE_FENTRY) >= 0;
  Result<Watched> watched =
      start("unix_clients_fentry", embedded(nsl_object_unix_clients_fentry, nsl_object_unix_clients_fentry_end), owners,
            has_sendpage ? nullptr : "nsl_unix_page");
  if (watched) return watched;
  return fail(ErrorClass::unsupported, "{}; and its function unix_stream_sendmsg: {}", refused.message,
              watched.error().message);
}

std::string socket_of_this_host() {
  const auto* const found = std::ranges::find_if(
      resolver_sockets, [](std::string_view path) { return ::access(std::string(path).c_str(), F_OK) == 0; });
  return found == resolver_sockets.end() ? std::string() : std::string(*found);
}

}  // namespace

void UnixClients::follow(const Owners& owners) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return;
  next_look_ = now + look_interval;
  watch_.socket = socket_of_this_host();
  if (watch_.socket.empty() && watch_.watched) {
    links_.clear();
    object_.reset();
    watch_.programs.clear();
    watch_.watched = false;
    log::notice("no resolver's Unix socket is there any more");
  }
  if (watch_.socket.empty() || watch_.watched || !watch_.refusal.empty()) return;
  Result<Watched> watched = start_best(owners);
  if (!watched) {
    watch_.refusal = watched.error().message;
    log::warning("{} is there, and who asks over it stays hidden: {}", watch_.socket, watch_.refusal);
    return;
  }
  object_ = std::move(watched->object);
  links_ = std::move(watched->links);
  watch_.programs = object_->report();
  watch_.watched = true;
  log::notice("{} is there: who asks over it is watched", watch_.socket);
}

Result<void> UnixClients::try_out() {
  const Result<Watched> watched = start_best({});
  if (!watched) return fail(watched.error());
  return {};
}

}  // namespace nslookout::kernel
