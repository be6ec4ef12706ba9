#include "identity/servers.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/resolver_sockets.h"
#include "identity/proc_process.h"

namespace nslookout::identity {
namespace {

constexpr auto yes_holds = static_cast<std::uint64_t>(std::chrono::nanoseconds(std::chrono::seconds(10)).count());
constexpr auto no_holds = static_cast<std::uint64_t>(std::chrono::nanoseconds(std::chrono::seconds(1)).count());
constexpr std::size_t answers_kept = 4096;

bool is_unix(std::uint8_t transport) { return transport == NSL_VARLINK || transport == NSL_NSCD; }

IpAddress address_of(std::uint8_t family, const nsl_u8 (&octets)[16]) {
  IpAddress address;
  address.v4 = family == 4;
  std::copy_n(octets, address.v4 ? 4 : 16, address.octets.begin());
  return address;
}

// A descriptor of the namespace by whatever process is in it: the client may have had its answer and be gone.
Fd find_network_namespace(const std::string& proc_root, std::uint64_t inode) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(proc_root, error), end; !error && entry != end;
       entry.increment(error)) {
    struct stat status{};
    const std::string path = entry->path().string() + "/ns/net";
    if (::stat(path.c_str(), &status) != 0 || status.st_ino != inode) continue;
    Fd found = open_network_namespace(AT_FDCWD, path.c_str(), inode);
    if (found.valid()) return found;
  }
  return {};
}

// From a namespace to the next one, through a device pair.
std::optional<std::uint64_t> socket_across(const NetworkView& here, const ClientLeg& leg, Transport transport,
                                           const Fd& other) {
  const auto pair = here.pair_towards(leg.server.ip);
  if (!other.valid() || !pair || here.number_of(other.get()) != pair->namespace_id) return std::nullopt;
  const auto there = NetworkView::open(other.get());
  if (!there || !there->is_local(leg.server.ip)) return std::nullopt;
  const auto device = there->receiving_device(pair->index);
  if (!device) return std::nullopt;
  return there->receiving_socket(transport, leg.source, leg.server, *device);
}

// Of the process's network namespace. A kernel without UNIX_DIAG has a text alone, in which a path with a newline can pass
// for another line.
std::vector<std::uint64_t> listening_unix_sockets(const ProcProcess& process, std::uint64_t network_namespace,
                                                  std::span<const std::string_view> paths) {
  const Fd home = process.network_namespace(network_namespace);
  const auto here = home.valid() ? NetworkView::open(home.get()) : std::nullopt;
  auto sockets = here ? here->listening_unix_sockets(paths) : std::nullopt;
  return sockets ? std::move(*sockets) : process.listening_unix_sockets(paths);
}

}  // namespace

ClientLeg ClientLeg::of(const nsl_candidate& candidate) {
  ClientLeg leg;
  leg.client = candidate.sender.process;
  leg.network_namespace = candidate.sender.network_namespace;
  leg.transport = candidate.transport;
  if (is_unix(candidate.transport)) {
    leg.listener = candidate.listener;
    return leg;
  }
  leg.source = {address_of(candidate.family, candidate.source), candidate.source_port};
  leg.server = {address_of(candidate.family, candidate.server), candidate.wire_port};
  return leg;
}

// Processes of one user may share a port (SO_REUSEPORT), each with sockets of its own: an answer for one source port is
// taken for the others, since they are one service.
template <typename Find>
bool Servers::remembered(const Question& question, std::uint64_t now, const Find& find) {
  const auto known = answers_.find(question);
  if (known != answers_.end() && now < known->second.until) return known->second.yes;
  if (answers_.size() >= answers_kept) answers_.clear();
  const bool yes = find();
  answers_[question] = {yes, now + (yes ? yes_holds : no_holds)};
  return yes;
}

bool Servers::serves(const nsl_sender& process, const ClientLeg& leg, std::uint64_t now) {
  const nsl_process_key& key = process.process;
  const Question question{key.start_boottime,   key.tgid,        key.exec_id, leg.network_namespace, leg.transport,
                          leg.server.ip.octets, leg.server.port, leg.listener};
  return remembered(question, now, [&] { return find_out(process, leg); });
}

bool Servers::hides_clients(const nsl_sender& process, bool watched, std::uint64_t now) {
  const nsl_process_key& key = process.process;
  const auto asked_over = static_cast<std::uint8_t>(watched ? NSL_VARLINK : NSL_NSCD);
  const Question question{key.start_boottime, key.tgid, key.exec_id, 0, asked_over, {}, 0, 0};
  return remembered(question, now, [&] {
    const auto live = ProcProcess::open(proc_root_, key);
    const auto sockets = std::span(resolver_sockets).first(watched ? 1 : resolver_sockets.size());
    return live && live->holds_socket(listening_unix_sockets(*live, process.network_namespace, sockets));
  });
}

bool Servers::answers_dns(const nsl_sender& process, std::span<const std::uint16_t> ports, std::uint64_t now) {
  const nsl_process_key& key = process.process;
  const Question question{key.start_boottime, key.tgid, key.exec_id, 0, NSL_UDP, {}, 0, 0};
  return remembered(question, now, [&] {
    const auto live = ProcProcess::open(proc_root_, key);
    return live && live->holds_socket(live->udp_sockets_at(ports));
  });
}

bool Servers::find_out(const nsl_sender& process, const ClientLeg& leg) const {
  // A fork of a server that runs the server's program (an exec counts exec_id up) is the server too, and may be gone by
  // now: dnsmasq has one for each TCP connection.
  if (holds_receiver(process.process, process.network_namespace, leg)) return true;
  return process.parent.exec_id == process.process.exec_id &&
         holds_receiver(process.parent, process.network_namespace, leg);
}

bool Servers::holds_receiver(const nsl_process_key& process, std::uint64_t network_namespace,
                             const ClientLeg& leg) const {
  const auto server = ProcProcess::open(proc_root_, process);
  if (!server) return false;
  if (is_unix(leg.transport)) {
    if (leg.listener != 0) return server->holds_socket({leg.listener});
    // A connection older than the watch: its listener is not known, but whoever has the path in this namespace is.
    return network_namespace == leg.network_namespace &&
           server->holds_socket(listening_unix_sockets(*server, network_namespace, resolver_sockets));
  }
  Fd home = server->network_namespace(leg.network_namespace);
  if (!home.valid()) home = find_network_namespace(proc_root_, leg.network_namespace);
  const auto here = home.valid() ? NetworkView::open(home.get()) : std::nullopt;
  if (!here) return false;
  const Transport transport = leg.transport == NSL_TCP ? Transport::tcp : Transport::udp;
  const auto socket = here->is_local(leg.server.ip)
                          ? here->receiving_socket(transport, leg.source, leg.server, NetworkView::loopback)
                          : socket_across(*here, leg, transport, server->network_namespace(network_namespace));
  return socket && server->holds_socket({*socket});
}

}  // namespace nslookout::identity
