#include "kernel/connect_denial.h"

#include <bpf/bpf.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/fd.h"
#include "base/log.h"
#include "base/resolver_sockets.h"
#include "bpf/abi.h"
#include "bpf/objects.h"
#include "kernel/name_service.h"
#include "kernel/root_cgroup.h"

namespace nslookout::kernel {
namespace {

constexpr int unix_connect_hook = 49;  // BPF_CGROUP_UNIX_CONNECT of enum bpf_attach_type, Linux 6.7
constexpr std::chrono::seconds look_interval{1};
constexpr std::uint32_t varlink_bit = 1U << NSL_VARLINK;
constexpr std::uint32_t nscd_bit = 1U << NSL_NSCD;

std::uint32_t bit_of(std::string_view socket) { return socket == resolver_sockets.front() ? varlink_bit : nscd_bit; }

// The process that listens there; 0: none does.
std::uint32_t listener_of(std::string_view socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket.data(), socket.size());
  const Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ucred peer{};
  socklen_t length = sizeof peer;
  if (!client.valid() || ::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return 0;
  }
  return static_cast<std::uint32_t>(peer.pid);
}

ConnectDenial::Inodes socket_inodes() {
  ConnectDenial::Inodes inodes{};
  for (std::size_t i = 0; i < inodes.size(); ++i) {
    struct stat found{};
    if (::stat(std::string(resolver_sockets[i]).c_str(), &found) == 0) inodes[i] = found.st_ino;
  }
  return inodes;
}

std::string_view names_of(std::uint32_t resolvers) {
  if (resolvers == varlink_bit) return "systemd-resolved";
  return resolvers == nscd_bit ? "nscd" : "systemd-resolved and nscd";
}

}  // namespace

Result<ConnectDenial> ConnectDenial::start(bool asked_for, std::uint32_t agent) {
  ConnectDenial denial;
  denial.active_ = true;
  denial.asked_for_ = asked_for;
  denial.agent_ = agent;
  if (asked_for) {
    if (const auto loaded = denial.load(); !loaded) return fail(loaded.error().context("--hidden-clients deny"));
  }
  denial.follow();
  return denial;
}

Result<void> ConnectDenial::load() {
  if (object_) return {};
  Result<BpfObject> object =
      BpfObject::open("unix_connect", embedded(nsl_object_unix_connect, nsl_object_unix_connect_end));
  if (!object) return fail(object.error());
  if (const auto set = object->expect_attach_type("nsl_unix_connect", unix_connect_hook); !set) return set;
  if (const auto loaded = object->load(); !loaded) {
    return fail(ErrorClass::unsupported,
                "connecting to a Unix socket cannot be denied: it needs a hook of Linux 6.7 and later ({})",
                loaded.error().message);
  }
  Result<std::vector<Link>> links = attach_to_root_cgroup(*object);
  if (!links) return fail(links.error());
  object_ = std::move(*object);
  links_ = std::move(*links);
  if (agent_ != 0) except(agent_);
  return {};
}

void ConnectDenial::except(std::uint32_t tgid) {
  const std::uint32_t present = 1;
  // A full map: the resolver that asks the other one is told no, and asks by DNS.
  [[maybe_unused]] const int added = bpf_map_update_elem(object_->map_fd("nsl_not_denied"), &tgid, &present, BPF_ANY);
}

// A resolver that is gone is an exception no longer: its tgid is given again.
void ConnectDenial::except_only(std::vector<std::uint32_t> listeners) {
  for (const std::uint32_t before : std::exchange(listeners_, {})) {
    if (std::ranges::find(listeners, before) != listeners.end()) continue;
    bpf_map_delete_elem(object_->map_fd("nsl_not_denied"), &before);
  }
  for (const std::uint32_t listener : listeners) except(listener);
  listeners_ = std::move(listeners);
}

// What can be denied without leaving a program without an answer.
std::uint32_t ConnectDenial::wanted() {
  std::uint32_t resolvers = 0;
  for (const std::string_view socket : resolver_sockets) {
    if (host_.exists(socket)) resolvers |= bit_of(socket);
  }
  if (nscd_skips_hosts(host_)) resolvers &= ~nscd_bit;
  if (asked_for_ || (resolvers & varlink_bit) == 0 || dns_stands_in_for_resolve(host_)) return resolvers;
  if (!std::exchange(told_of_hosts_line_, true)) {
    log::notice(
        "programs may go on asking systemd-resolved over its socket, where its packet is judged and not theirs: the "
        "hosts "
        "line of /etc/nsswitch.conf has no `dns` that stands in for `resolve` (--hidden-clients deny denies it all the "
        "same)");
  }
  return resolvers & ~varlink_bit;
}

Result<void> ConnectDenial::deny(std::uint32_t resolvers) {
  if (const auto loaded = load(); !loaded) return loaded;
  const auto denied = object_->global<std::uint32_t>("nsl_denied_resolvers");
  if (!denied) return fail(denied.error());
  std::vector<std::uint32_t> listeners;
  for (std::size_t i = 0; i < resolver_sockets.size(); ++i) {
    if ((resolvers & bit_of(resolver_sockets[i])) == 0) continue;
    if (const std::uint32_t listener = listener_of(resolver_sockets[i]); listener != 0) {
      listeners.push_back(listener);
    } else {
      inodes_[i] = 0;  // is looked at again
    }
  }
  except_only(std::move(listeners));
  **denied = resolvers;
  return {};
}

void ConnectDenial::follow() {
  const auto now = std::chrono::steady_clock::now();
  if (!active_ || refused_ || now < next_look_) return;
  next_look_ = now + look_interval;
  const std::uint32_t resolvers = wanted();
  const Inodes inodes = socket_inodes();  // others: a resolver was started again, and is another process now
  if (resolvers == denied_ && inodes == inodes_) return;
  inodes_ = inodes;
  if (resolvers == 0) {
    links_.clear();
    listeners_.clear();
    object_.reset();
  } else if (const auto denied = deny(resolvers); !denied) {
    refused_ = true;
    log::notice("programs may go on asking {} over its socket, where its packet is judged and not theirs: {}",
                names_of(resolvers), denied.error().message);
    return;
  } else if (resolvers != denied_) {
    log::notice("connecting to the socket of {} is denied, so that programs ask by a packet of their own",
                names_of(resolvers));
  }
  denied_ = resolvers;
}

Result<void> ConnectDenial::try_out() {
  ConnectDenial denial;
  return denial.load();
}

}  // namespace nslookout::kernel
