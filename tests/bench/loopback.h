// Two servers on loopback that take datagrams and never read one, one on the DNS port, one on another; and sending to them.
// All in a network namespace of this process's own, which an agent that it starts shares: nobody else's port 53 is in the way,
// and nothing leaves the machine.
//
// The servers' buffers are as small as the kernel makes them; what does not fit is dropped there. A reader would compete with
// what is measured for the CPUs.
//
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace nslookout::bench {

// Queries, type A, each name once, with an id of its own.
[[nodiscard]] std::vector<std::string> queries_for(const std::vector<std::string>& wire_names);

class Loopback {
 public:
  struct Sent {
    std::uint64_t count = 0;
    double seconds = 0;
  };

  // Error: unsupported without root.
  [[nodiscard]] static Result<Loopback> open();

  // Connected sockets, as the resolvers of C libraries have them.
  [[nodiscard]] int dns() const { return dns_client_.get(); }
  [[nodiscard]] int other_port() const { return other_client_.get(); }

  // Sends the payloads in turn, so many in all, as fast as it can.
  [[nodiscard]] static Result<Sent> send(int client, const std::vector<std::string>& payloads, std::uint64_t count);
  // For so long, at an even pace, or as fast as it can where that is slower.
  [[nodiscard]] static Result<Sent> send_paced(int client, const std::vector<std::string>& payloads,
                                               std::uint64_t per_second, std::chrono::duration<double> time);

 private:
  Loopback() = default;

  Fd dns_server_, other_server_;
  Fd dns_client_, other_client_;
};

}  // namespace nslookout::bench
