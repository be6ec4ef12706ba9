#include "identity/network_view.h"

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

#include "base/own_thread.h"

namespace nslookout::identity {
namespace {

constexpr std::size_t message_octets =
    8192;  // MNL_SOCKET_BUFFER_SIZE at most; an answer about one object is far smaller

using Buffer = std::array<char, message_octets>;
using OnAnswer = std::function<void(const nlmsghdr*)>;

Fd netlink_socket(int protocol) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  // The kernel answers within the send; the limit is for a kernel that does not.
  const timeval patience{.tv_sec = 1, .tv_usec = 0};
  if (fd.valid()) ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

bool send_request(const Fd& fd, const nlmsghdr* request) {
  return ::send(fd.get(), request, request->nlmsg_len, 0) == static_cast<ssize_t>(request->nlmsg_len);
}

ssize_t receive(const Fd& fd, Buffer& buffer) {
  ssize_t length = 0;
  do {
    length = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
  } while (length < 0 && errno == EINTR);
  return length;
}

// Sends a request about one object and hands over its answer. False where the kernel answers with an error, or not at all.
bool ask(const Fd& fd, const nlmsghdr* request, const OnAnswer& on_answer) {
  if (!send_request(fd, request)) return false;
  alignas(nlmsghdr) Buffer buffer;
  const ssize_t length = receive(fd, buffer);
  if (length <= 0) return false;
  const int left = static_cast<int>(length);
  const auto* answer = reinterpret_cast<const nlmsghdr*>(buffer.data());
  if (!mnl_nlmsg_ok(answer, left) || answer->nlmsg_type == NLMSG_ERROR || answer->nlmsg_type == NLMSG_DONE)
    return false;
  on_answer(answer);
  return true;
}

// Likewise of every object there is. False also where the list ends before the kernel says so.
bool ask_for_all(const Fd& fd, nlmsghdr* request, const OnAnswer& on_answer) {
  request->nlmsg_flags |= NLM_F_DUMP;
  if (!send_request(fd, request)) return false;
  alignas(nlmsghdr) Buffer buffer;
  while (true) {
    const ssize_t length = receive(fd, buffer);
    if (length <= 0) return false;
    int left = static_cast<int>(length);
    for (const auto* answer = reinterpret_cast<const nlmsghdr*>(buffer.data()); mnl_nlmsg_ok(answer, left);
         answer = mnl_nlmsg_next(answer, &left)) {
      if (answer->nlmsg_type == NLMSG_DONE) return true;
      if (answer->nlmsg_type == NLMSG_ERROR) return false;
      on_answer(answer);
    }
  }
}

nlmsghdr* begin(Buffer& buffer, std::uint16_t type) {
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = type;
  request->nlmsg_flags = NLM_F_REQUEST;
  return request;
}

void each_attribute(const nlmsghdr* answer, std::size_t header, const std::function<void(const nlattr*)>& visit) {
  const auto pass_on = [](const nlattr* attribute, void* visitor) {
    (*static_cast<const std::function<void(const nlattr*)>*>(visitor))(attribute);
    return MNL_CB_OK;
  };
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): libmnl hands it back untouched
  auto* visitor = const_cast<std::function<void(const nlattr*)>*>(&visit);
  mnl_attr_parse(answer, static_cast<unsigned>(header), pass_on, visitor);
}

std::uint32_t number(const nlattr* attribute) {
  return mnl_attr_get_payload_len(attribute) >= sizeof(std::uint32_t) ? mnl_attr_get_u32(attribute) : 0;
}

struct Route {
  std::uint8_t type = RTN_UNSPEC;
  std::uint32_t device = 0;
};

std::optional<Route> route_to(const Fd& fd, const IpAddress& address) {
  alignas(nlmsghdr) Buffer buffer{};
  nlmsghdr* request = begin(buffer, RTM_GETROUTE);
  auto* header = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(rtmsg)));
  header->rtm_family = address.v4 ? AF_INET : AF_INET6;
  header->rtm_dst_len = address.v4 ? 32 : 128;
  mnl_attr_put(request, RTA_DST, address.v4 ? 4 : 16, address.octets.data());
  Route route;
  const bool known = ask(fd, request, [&](const nlmsghdr* answer) {
    if (mnl_nlmsg_get_payload_len(answer) < sizeof(rtmsg)) return;
    route.type = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(answer))->rtm_type;
    each_attribute(answer, sizeof(rtmsg), [&](const nlattr* attribute) {
      if (mnl_attr_get_type(attribute) == RTA_OIF) route.device = number(attribute);
    });
  });
  return known ? std::optional(route) : std::nullopt;
}

struct Device {
  std::optional<std::uint32_t> peer;  // IFLA_LINK
  std::optional<int> peer_namespace;  // IFLA_LINK_NETNSID
  std::optional<std::uint32_t> bridge;
};

std::optional<Device> device(const Fd& fd, std::uint32_t index) {
  alignas(nlmsghdr) Buffer buffer{};
  nlmsghdr* request = begin(buffer, RTM_GETLINK);
  auto* header = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(request, sizeof(ifinfomsg)));
  header->ifi_family = AF_UNSPEC;
  header->ifi_index = static_cast<int>(index);
  Device found;
  const bool known = ask(fd, request, [&](const nlmsghdr* answer) {
    each_attribute(answer, sizeof(ifinfomsg), [&](const nlattr* attribute) {
      switch (mnl_attr_get_type(attribute)) {
        case IFLA_LINK:
          found.peer = number(attribute);
          break;
        case IFLA_LINK_NETNSID:
          found.peer_namespace = static_cast<int>(number(attribute));
          break;
        case IFLA_MASTER:
          found.bridge = number(attribute);
          break;
        default:
          break;
      }
    });
  });
  return known ? std::optional(found) : std::nullopt;
}

// Entering it is a privilege that nobody needs to stay where he is.
bool is_own(int network_namespace) {
  struct stat own{};
  struct stat other{};
  return ::stat("/proc/thread-self/ns/net", &own) == 0 && ::fstat(network_namespace, &other) == 0 &&
         own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

}  // namespace

Fd open_network_namespace(int at, const char* path, std::uint64_t inode) {
  Fd found(::openat(at, path, O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!found.valid() || ::fstat(found.get(), &status) != 0 || status.st_ino != inode) return {};
  return found;
}

std::optional<NetworkView> NetworkView::open(int network_namespace) {
  Fd routes;
  Fd sockets;
  const auto make_sockets = [&] {
    routes = netlink_socket(NETLINK_ROUTE);
    sockets = netlink_socket(NETLINK_SOCK_DIAG);
  };
  if (is_own(network_namespace)) {
    make_sockets();
  } else {
    // A socket stays in the namespace it was made in, so a thread goes there for a moment and ends.
    const auto been_there = in_own_thread([&] {
      if (::setns(network_namespace, CLONE_NEWNET) == 0) make_sockets();
    });
    if (!been_there) return std::nullopt;
  }
  if (!routes.valid() || !sockets.valid()) return std::nullopt;
  return NetworkView(std::move(routes), std::move(sockets));
}

bool NetworkView::is_local(const IpAddress& address) const {
  const auto route = route_to(routes_, address);
  return route && route->type == RTN_LOCAL;
}

std::optional<PeerDevice> NetworkView::pair_towards(const IpAddress& address) const {
  const auto route = route_to(routes_, address);
  if (!route || route->type != RTN_UNICAST || route->device == 0) return std::nullopt;
  const auto found = device(routes_, route->device);
  if (!found || !found->peer || !found->peer_namespace) return std::nullopt;
  return PeerDevice{.index = *found->peer, .namespace_id = *found->peer_namespace};
}

std::optional<int> NetworkView::number_of(int network_namespace) const {
  alignas(nlmsghdr) Buffer buffer{};
  nlmsghdr* request = begin(buffer, RTM_GETNSID);
  mnl_nlmsg_put_extra_header(request, sizeof(rtgenmsg));
  mnl_attr_put_u32(request, NETNSA_FD, static_cast<std::uint32_t>(network_namespace));
  int id = NETNSA_NSID_NOT_ASSIGNED;
  ask(routes_, request, [&](const nlmsghdr* answer) {
    each_attribute(answer, sizeof(rtgenmsg), [&](const nlattr* attribute) {
      if (mnl_attr_get_type(attribute) == NETNSA_NSID) id = static_cast<int>(number(attribute));
    });
  });
  return id == NETNSA_NSID_NOT_ASSIGNED ? std::nullopt : std::optional(id);
}

std::optional<std::uint32_t> NetworkView::receiving_device(std::uint32_t index) const {
  const auto found = device(routes_, index);
  if (!found) return std::nullopt;
  return found->bridge.value_or(index);
}

std::optional<std::uint64_t> NetworkView::receiving_socket(Transport transport, const SocketAddress& client,
                                                           const SocketAddress& server, std::uint32_t device) const {
  alignas(nlmsghdr) Buffer buffer{};
  nlmsghdr* request = begin(buffer, SOCK_DIAG_BY_FAMILY);
  auto* asked = static_cast<inet_diag_req_v2*>(mnl_nlmsg_put_extra_header(request, sizeof(inet_diag_req_v2)));
  const bool udp = transport == Transport::udp;
  asked->sdiag_family = server.ip.v4 ? AF_INET : AF_INET6;
  asked->sdiag_protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;
  asked->idiag_states = ~0U;
  inet_diag_sockid& id = asked->id;
  // For UDP the kernel takes the two ends the other way round (udp_dump_one), and has to for compatibility.
  const SocketAddress& source = udp ? client : server;
  const SocketAddress& destination = udp ? server : client;
  id.idiag_sport = htons(source.port);
  id.idiag_dport = htons(destination.port);
  std::memcpy(id.idiag_src, source.ip.octets.data(), sizeof id.idiag_src);
  std::memcpy(id.idiag_dst, destination.ip.octets.data(), sizeof id.idiag_dst);
  id.idiag_if = device;
  std::fill(std::begin(id.idiag_cookie), std::end(id.idiag_cookie), INET_DIAG_NOCOOKIE);
  std::uint64_t inode = 0;
  ask(sockets_, request, [&](const nlmsghdr* answer) {
    if (mnl_nlmsg_get_payload_len(answer) < sizeof(inet_diag_msg)) return;
    inode = static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(answer))->idiag_inode;
  });
  return inode == 0 ? std::nullopt : std::optional(inode);
}

std::optional<std::vector<std::uint64_t>> NetworkView::listening_unix_sockets(
    std::span<const std::string_view> paths) const {
  alignas(nlmsghdr) Buffer buffer{};
  nlmsghdr* request = begin(buffer, SOCK_DIAG_BY_FAMILY);
  auto* asked = static_cast<unix_diag_req*>(mnl_nlmsg_put_extra_header(request, sizeof(unix_diag_req)));
  asked->sdiag_family = AF_UNIX;
  asked->udiag_states = 1U << TCP_LISTEN;  // Unix sockets use TCP's number for it
  asked->udiag_show = UDIAG_SHOW_NAME;
  std::vector<std::uint64_t> inodes;
  const bool known = ask_for_all(sockets_, request, [&](const nlmsghdr* answer) {
    if (mnl_nlmsg_get_payload_len(answer) < sizeof(unix_diag_msg)) return;
    const std::uint64_t inode = static_cast<const unix_diag_msg*>(mnl_nlmsg_get_payload(answer))->udiag_ino;
    each_attribute(answer, sizeof(unix_diag_msg), [&](const nlattr* attribute) {
      if (mnl_attr_get_type(attribute) != UNIX_DIAG_NAME) return;
      std::string_view name(static_cast<const char*>(mnl_attr_get_payload(attribute)),
                            mnl_attr_get_payload_len(attribute));
      if (name.ends_with('\0')) name.remove_suffix(1);  // of a path; an abstract name begins with one
      if (std::ranges::find(paths, name) != paths.end()) inodes.push_back(inode);
    });
  });
  return known ? std::optional(inodes) : std::nullopt;
}

}  // namespace nslookout::identity
