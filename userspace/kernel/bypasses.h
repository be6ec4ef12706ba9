// The watch over ways around the sensor (bpf/bypass.bpf.c, bpf/sockets.bpf.c): encrypted DNS, other resolvers, raw and packet
// sockets. What cannot be watched here is told, and nothing else suffers from it.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "bpf/abi.h"
#include "kernel/bpf_object.h"
#include "kernel/hook_watch.h"

namespace nslookout::kernel {

[[nodiscard]] nsl_address kernel_address(const IpAddress& address);
[[nodiscard]] IpAddress ip_address_of(const nsl_address& address);

class Bypasses {
 public:
  struct Options {
    std::vector<std::uint16_t> ports;           // of DNS
    std::vector<IpAddress> public_resolvers;    // known to answer encrypted queries
    std::vector<IpAddress> own_resolvers = {};  // asked by this host, beside those of its resolv.conf
    std::uint32_t agent = 0;                    // SensorOptions::agent, of whose sockets nothing is told
  };

  // Loads and attaches; process: the owner of the process table and the counters. Errors: unsupported.
  [[nodiscard]] static Result<Bypasses> start(const Options& options, const BpfObject& process);

  // The host's resolvers anew, and a look at all open sockets: call it every few seconds.
  void follow();

  // Takes the programs off; follow() is not to be called after that.
  void end();

  // Of the ring nsl_bypasses.
  [[nodiscard]] int ring() const { return connections_.map_fd("nsl_bypasses"); }
  // Why open packet sockets are not looked for; empty: they are.
  [[nodiscard]] const std::string& sockets_refused() const { return sockets_refused_; }
  [[nodiscard]] std::vector<ProgramReport> report() const;
  [[nodiscard]] std::vector<ProgramRuns> runs() const;
  [[nodiscard]] std::vector<Hooked> hooks() const { return hooked(connections_, links_); }

  // For doctor: loads and attaches for the moment; nothing, or why it does not work here.
  [[nodiscard]] static Result<void> try_out();

 private:
  explicit Bypasses(BpfObject connections) : connections_(std::move(connections)) {}

  [[nodiscard]] Result<void> load_sockets(const BpfObject& process);
  [[nodiscard]] Result<void> list_resolvers();
  [[nodiscard]] Result<void> look_at_sockets();

  BpfObject connections_;
  std::vector<Link> links_;
  std::optional<BpfObject> sockets_;
  Link iterator_;
  std::string sockets_refused_;
  std::string resolvers_refused_;
  std::vector<IpAddress> public_, asked_for_, own_;
  std::uint32_t agent_ = 0;
  bool listed_ = false;  // they are in the kernel's table
};

}  // namespace nslookout::kernel
