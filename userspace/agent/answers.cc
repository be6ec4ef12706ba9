#include "agent/answers.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/own_thread.h"
#include "identity/network_view.h"

namespace nslookout::agent {
namespace {

constexpr std::size_t max_namespaces = 64;
constexpr std::uint64_t kept_ns = 30'000'000'000;
constexpr int ipv6_hdrincl = 36;  // <linux/in6.h>, which does not go with <netinet/in.h>

void add16(std::string& octets, std::uint32_t value) {
  octets.push_back(static_cast<char>(value >> 8));
  octets.push_back(static_cast<char>(value));
}

// Sum of 16-bit words, RFC 1071.
std::uint32_t sum_of(std::string_view octets) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(octets[i])) << (i % 2 == 0 ? 8 : 0);
  }
  return sum;
}

std::uint16_t folded(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::string_view address_of(const nsl_candidate& candidate, const std::uint8_t (&address)[16]) {
  return {reinterpret_cast<const char*>(address), candidate.family == 4 ? 4U : 16U};
}

// RFC 1035 section 4.1: the header of a response and the question as it was asked.
std::string dns_answer(const nsl_candidate& candidate, AnswerKind kind) {
  constexpr std::uint32_t response = 0x8000;
  constexpr std::uint32_t recursion = 0x0080;          // RA
  constexpr std::uint32_t repeated = 0x0100 | 0x0010;  // RD and CD (RFC 4035) as they were asked
  const std::uint32_t rcode = kind == AnswerKind::nxdomain ? 3 : 5;
  std::string message;
  add16(message, candidate.id);
  add16(message, response | recursion | (candidate.dns_flags & repeated) | rcode);
  for (const std::uint32_t records : {1U, 0U, 0U, 0U}) add16(message, records);
  message.append(reinterpret_cast<const char*>(candidate.name),
                 std::min<std::size_t>(candidate.name_length, sizeof candidate.name));
  add16(message, candidate.record_type);
  add16(message, candidate.record_class);
  return message;
}

// The two ends of a packet. Addresses are octets in network order.
struct Ends {
  std::string_view from, to;
  std::uint16_t from_port = 0, to_port = 0;
};

Ends to_client(const nsl_candidate& candidate) {
  return {address_of(candidate, candidate.wire_server), address_of(candidate, candidate.source), candidate.wire_port,
          candidate.source_port};
}

Ends to_server(const nsl_candidate& candidate) {
  return {address_of(candidate, candidate.source), address_of(candidate, candidate.wire_server), candidate.source_port,
          candidate.wire_port};
}

// The checksum of UDP and TCP covers a header of its own (RFC 768, RFC 8200 section 8.1).
std::uint16_t checksum(const Ends& ends, std::uint8_t protocol, const std::string& segment) {
  return folded(sum_of(ends.from) + sum_of(ends.to) + protocol + static_cast<std::uint32_t>(segment.size()) +
                sum_of(segment));
}

std::string udp_segment(const Ends& ends, const std::string& message) {
  udphdr header{};
  header.source = htons(ends.from_port);
  header.dest = htons(ends.to_port);
  header.len = htons(static_cast<std::uint16_t>(sizeof header + message.size()));
  std::string segment(reinterpret_cast<const char*>(&header), sizeof header);
  segment += message;
  const std::uint16_t sum = checksum(ends, IPPROTO_UDP, segment);
  header.check = htons(sum == 0 ? 0xFFFF : sum);  // 0 says that there is none
  std::memcpy(segment.data(), &header, sizeof header);
  return segment;
}

std::string tcp_reset(const Ends& ends, std::uint32_t sequence, std::uint32_t acknowledged) {
  tcphdr header{};
  header.source = htons(ends.from_port);
  header.dest = htons(ends.to_port);
  header.seq = htonl(sequence);
  header.ack_seq = htonl(acknowledged);
  header.doff = sizeof header / 4;
  header.rst = 1;
  header.ack = 1;
  std::string segment(reinterpret_cast<const char*>(&header), sizeof header);
  header.check = htons(checksum(ends, IPPROTO_TCP, segment));
  std::memcpy(segment.data(), &header, sizeof header);
  return segment;
}

std::string with_ip_header(const Ends& ends, std::uint8_t protocol, const std::string& segment) {
  if (ends.from.size() == 4) {
    iphdr header{};
    header.version = 4;
    header.ihl = sizeof header / 4;
    header.tot_len = htons(static_cast<std::uint16_t>(sizeof header + segment.size()));
    header.ttl = 64;
    header.protocol = protocol;
    std::memcpy(&header.saddr, ends.from.data(), sizeof header.saddr);
    std::memcpy(&header.daddr, ends.to.data(), sizeof header.daddr);
    // the kernel adds id and checksum
    return std::string(reinterpret_cast<const char*>(&header), sizeof header) + segment;
  }
  ip6_hdr header{};
  header.ip6_flow = htonl(6U << 28);
  header.ip6_plen = htons(static_cast<std::uint16_t>(segment.size()));
  header.ip6_nxt = protocol;
  header.ip6_hlim = 64;
  std::memcpy(&header.ip6_src, ends.from.data(), sizeof header.ip6_src);
  std::memcpy(&header.ip6_dst, ends.to.data(), sizeof header.ip6_dst);
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + segment;
}

struct Opened {
  Fd v4, v6;
  std::string failure;
};

// In the network namespace of the calling thread.
Opened open_sockets() {
  Opened opened{Fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)),
                Fd(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)), ""};
  if (!opened.v4.valid()) opened.failure = fmt::format("a raw socket: {}", errno_text(errno));
  const int on = 1;
  // A machine without IPv6 has no such socket and needs none.
  if (opened.v6.valid() && ::setsockopt(opened.v6.get(), IPPROTO_IPV6, ipv6_hdrincl, &on, sizeof on) != 0) {
    opened.failure = fmt::format("IPV6_HDRINCL: {}", errno_text(errno));
  }
  return opened;
}

Opened open_sockets_in(int network_namespace) {
  Opened opened;
  // A thread of its own: it is left in that namespace.
  const auto been_there = in_own_thread([&] {
    if (::setns(network_namespace, CLONE_NEWNET) != 0) {
      opened.failure = fmt::format("entering the client's network namespace: {}", errno_text(errno));
      return;
    }
    opened = open_sockets();
  });
  if (!been_there) opened.failure = been_there.error().message;
  return opened;
}

}  // namespace

std::optional<AnswerKind> answer_from_name(std::string_view name) {
  if (name == "nxdomain") return AnswerKind::nxdomain;
  if (name == "refused") return AnswerKind::refused;
  if (name == "none") return AnswerKind::none;
  return std::nullopt;
}

std::string answer_packet(const nsl_candidate& candidate, AnswerKind kind) {
  if (candidate.wire_port == 0 || candidate.source_port == 0 || kind == AnswerKind::none) return "";
  const Ends ends = to_client(candidate);
  if (candidate.transport != NSL_TCP) {
    return with_ip_header(ends, IPPROTO_UDP, udp_segment(ends, dns_answer(candidate, kind)));
  }
  return with_ip_header(ends, IPPROTO_TCP, tcp_reset(ends, candidate.tcp_acknowledged, candidate.tcp_sequence));
}

std::string server_reset_packet(const nsl_candidate& candidate) {
  const Ends ends = to_server(candidate);
  return with_ip_header(ends, IPPROTO_TCP, tcp_reset(ends, candidate.tcp_sequence, candidate.tcp_acknowledged));
}

Answers::Answers(AnswerKind kind, std::string proc) : kind_(kind), proc_(std::move(proc)) {
  struct stat own{};
  if (::stat((proc_ + "/self/ns/net").c_str(), &own) == 0) own_namespace_ = own.st_ino;
}

Result<Answers::Sockets*> Answers::sockets_for(const nsl_candidate& candidate) {
  const std::uint64_t wanted = candidate.sender.network_namespace;
  if (const auto known = by_namespace_.find(wanted); known != by_namespace_.end()) return &known->second;
  Opened opened;
  if (wanted != 0 && wanted == own_namespace_) {
    opened = open_sockets();
  } else {
    const std::string path = fmt::format("{}/{}/ns/net", proc_, candidate.sender.process.tgid);
    // A pid that is somebody else's by now has another namespace, or the same one.
    const Fd found = identity::open_network_namespace(AT_FDCWD, path.c_str(), wanted);
    if (!found.valid()) {
      return fail(ErrorClass::runtime, "the client has ended, or is in another pid namespace's /proc");
    }
    opened = open_sockets_in(found.get());
  }
  if (!opened.failure.empty()) return fail(ErrorClass::runtime, "{}", opened.failure);
  if (by_namespace_.size() >= max_namespaces) by_namespace_.clear();
  return &by_namespace_.emplace(wanted, Sockets{std::move(opened.v4), std::move(opened.v6), 0}).first->second;
}

void Answers::fail_with(const std::string& why) {
  ++failed_;
  last_failure_ = why;
}

void Answers::answer(const nsl_candidate& candidate) {
  if ((candidate.flags & NSL_FLAG_BLOCKED) == 0 || kind_ == AnswerKind::none) return;
  const std::string packet = answer_packet(candidate, kind_);
  if (packet.empty()) return fail_with("the packet's addresses are not known");
  const Result<Sockets*> sockets = sockets_for(candidate);
  if (!sockets) return fail_with(sockets.error().message);
  (*sockets)->used = candidate.boottime;
  send(candidate, **sockets, packet, candidate.source);
  if (candidate.transport == NSL_TCP) {
    send(candidate, **sockets, server_reset_packet(candidate), candidate.wire_server);
  }
}

void Answers::send(const nsl_candidate& candidate, Sockets& sockets, const std::string& packet,
                   const std::uint8_t (&to)[16]) {
  // Never waits: in a namespace of its own a client decides how fast its loopback device takes packets.
  ssize_t written = -1;
  if (candidate.family == 4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    std::memcpy(&address.sin_addr, to, sizeof address.sin_addr);
    written = ::sendto(sockets.v4.get(), packet.data(), packet.size(), MSG_DONTWAIT,
                       reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    std::memcpy(&address.sin6_addr, to, sizeof address.sin6_addr);
    written = ::sendto(sockets.v6.get(), packet.data(), packet.size(), MSG_DONTWAIT,
                       reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  if (written != static_cast<ssize_t>(packet.size())) return fail_with(fmt::format("sending: {}", errno_text(errno)));
  ++sent_;
}

void Answers::retire(std::uint64_t now) {
  std::erase_if(by_namespace_,
                [&](const auto& entry) { return entry.first != own_namespace_ && entry.second.used + kept_ns <= now; });
}

}  // namespace nslookout::agent
