// What one network namespace says about itself: whether an address is its own, where a packet to another one goes, and
// which socket a packet is delivered to. The kernel is asked the very questions that it answers for packets (rtnetlink(7),
// sock_diag(7)), so the answers are its own, REUSEPORT groups and wildcard addresses included.
//
// Invariant: a view stays in the namespace it was opened for; the calling thread's namespace is never changed. It keeps the
// namespace alive, so do not keep it. Nothing that cannot be asked is guessed: no answer is nullopt.
// Thread rule: one thread at a time per view.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/ip_address.h"

namespace nslookout::identity {

struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;
};

enum class Transport { udp, tcp };

// An end of a device pair (veth) whose other end is in another namespace.
struct PeerDevice {
  std::uint32_t index = 0;  // of the other end, in its namespace
  int namespace_id = -1;    // of its namespace, as this one numbers it
};

// A descriptor of the network namespace that a path such as /proc/PID/ns/net leads to, relative to the folder at; an invalid
// one where that is not the namespace with this inode.
[[nodiscard]] Fd open_network_namespace(int at, const char* path, std::uint64_t inode);

class NetworkView {
 public:
  // network_namespace: a descriptor of /proc/PID/ns/net. Nothing without the privilege to enter it.
  [[nodiscard]] static std::optional<NetworkView> open(int network_namespace);

  // Whether packets to the address are delivered in this namespace.
  [[nodiscard]] bool is_local(const IpAddress& address) const;

  // The pair that packets to an address of elsewhere leave through, if it is one.
  [[nodiscard]] std::optional<PeerDevice> pair_towards(const IpAddress& address) const;

  // This namespace's number for another one, given by a descriptor.
  [[nodiscard]] std::optional<int> number_of(int network_namespace) const;

  // The device that packets coming in through this one are delivered by: its bridge, or itself.
  [[nodiscard]] std::optional<std::uint32_t> receiving_device(std::uint32_t index) const;

  // Inode of the socket that gets a packet from client to server through the device: for TCP that of the connection if it
  // is still there, else of the listener.
  [[nodiscard]] std::optional<std::uint64_t> receiving_socket(Transport transport, const SocketAddress& client,
                                                              const SocketAddress& server, std::uint32_t device) const;

  // Inodes of the Unix sockets that are bound to one of the paths and listen. Paths are compared whole, with any octet in
  // them. Nothing where the kernel cannot say (CONFIG_UNIX_DIAG).
  [[nodiscard]] std::optional<std::vector<std::uint64_t>> listening_unix_sockets(
      std::span<const std::string_view> paths) const;

  static constexpr std::uint32_t loopback = 1;  // the index of every namespace's own (LOOPBACK_IFINDEX)

 private:
  NetworkView(Fd routes, Fd sockets) : routes_(std::move(routes)), sockets_(std::move(sockets)) {}

  Fd routes_;   // NETLINK_ROUTE
  Fd sockets_;  // NETLINK_SOCK_DIAG
};

}  // namespace nslookout::identity
