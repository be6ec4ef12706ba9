// Whether a process is the server that another process's query was delivered to: the proof that a second query for the
// same name is a forwarder's copy and not somebody else's lookup.
//
// Certain or not at all: the kernel says which socket the first query was delivered to, and the process must hold that
// very socket. Three ways are followed: a server in the client's own network namespace (a stub on loopback, a cache on a
// local address, Docker's embedded resolver behind its NAT), a server in a namespace that the client's is joined to by a
// device pair (a pod and its node's cache), and a resolver's Unix socket. Another way (a service address that a NAT turns
// into the address of a pod) is none: the answer is no.
// Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <tuple>

#include "base/ip_address.h"
#include "bpf/abi.h"
#include "identity/network_view.h"

namespace nslookout::identity {

// The client's query, as far as its way to the server matters.
struct ClientLeg {
  nsl_process_key client{};
  std::uint64_t network_namespace = 0;  // inode
  std::uint8_t transport = 0;           // enum nsl_transport
  SocketAddress source;
  SocketAddress server;        // the port is that of the packet, behind a NAT of the client's namespace
  std::uint64_t listener = 0;  // NSL_VARLINK, NSL_NSCD: inode of the resolver's listening socket; 0: not known

  [[nodiscard]] static ClientLeg of(const nsl_candidate& candidate);
};

class Servers {
 public:
  explicit Servers(std::string proc_root) : proc_root_(std::move(proc_root)) {}

  // Whether the process that sends the second query is the server of the first. Answers are kept for a few seconds: now is
  // in nanoseconds since boot.
  [[nodiscard]] bool serves(const nsl_sender& process, const ClientLeg& leg, std::uint64_t now);

  // Whether the process resolves names for others over a way that is not seen: it listens on the Unix socket of
  // systemd-resolved or nscd. watched: requests over those are seen, which leaves systemd-resolved's D-Bus interface.
  [[nodiscard]] bool hides_clients(const nsl_sender& process, bool watched, std::uint64_t now);

  // Whether the process answers DNS itself: it holds a UDP socket at one of the ports.
  [[nodiscard]] bool answers_dns(const nsl_sender& process, std::span<const std::uint16_t> ports, std::uint64_t now);

 private:
  using Question = std::tuple<std::uint64_t, std::uint32_t, std::uint32_t,  // the process
                              std::uint64_t, std::uint8_t, std::array<std::uint8_t, 16>, std::uint16_t, std::uint64_t>;
  struct Answer {
    bool yes = false;
    std::uint64_t until = 0;
  };
  template <typename Find>
  bool remembered(const Question& question, std::uint64_t now, const Find& find);

  [[nodiscard]] bool find_out(const nsl_sender& process, const ClientLeg& leg) const;
  [[nodiscard]] bool holds_receiver(const nsl_process_key& process, std::uint64_t network_namespace,
                                    const ClientLeg& leg) const;

  std::string proc_root_;
  std::map<Question, Answer> answers_;
};

}  // namespace nslookout::identity
