// The answer in the server's place: a query that was kept from leaving gets NXDOMAIN (or REFUSED) at once, from the address
// that it was sent to, so that its client neither waits nor tries again; a TCP connection is reset at both ends, since a server
// would wait for the query on it.
//
// Written to a raw socket in the client's own network namespace, which is found by the process that asked and recognized by
// its inode; sockets are kept for the namespaces that were needed lately. A client that has ended before it could be found
// gets no answer, and needs none.
// Source: RFC 1035 section 4.1 (the answer), RFC 2308 (no SOA: it is not kept), RFC 9293 section 3.10.7.3 (the reset).
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/fd.h"
#include "base/result.h"
#include "bpf/abi.h"

namespace nslookout::agent {

enum class AnswerKind { nxdomain, refused, none };

[[nodiscard]] std::optional<AnswerKind> answer_from_name(std::string_view name);

// The packet that answers a blocked candidate, its IP header included; empty: it has no such answer (its server is not
// known). Pure.
[[nodiscard]] std::string answer_packet(const nsl_candidate& candidate, AnswerKind kind);

// The packet that tells the server of a blocked TCP candidate that its connection is over. Pure.
[[nodiscard]] std::string server_reset_packet(const nsl_candidate& candidate);

class Answers {
 public:
  explicit Answers(AnswerKind kind, std::string proc = "/proc");

  // Answers a candidate with NSL_FLAG_BLOCKED; nothing is done for any other.
  void answer(const nsl_candidate& candidate);

  // Lets go of namespaces that were not needed for a while: an open socket keeps one alive. now: ns since boot.
  void retire(std::uint64_t now);

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }
  [[nodiscard]] const std::string& last_failure() const { return last_failure_; }

 private:
  struct Sockets {
    Fd v4, v6;
    std::uint64_t used = 0;  // candidate time
  };

  void send(const nsl_candidate& candidate, Sockets& sockets, const std::string& packet, const std::uint8_t (&to)[16]);
  [[nodiscard]] Result<Sockets*> sockets_for(const nsl_candidate& candidate);
  void fail_with(const std::string& why);

  AnswerKind kind_;
  std::string proc_;
  std::uint64_t own_namespace_ = 0;
  std::unordered_map<std::uint64_t, Sockets> by_namespace_;
  std::uint64_t sent_ = 0;
  std::uint64_t failed_ = 0;
  std::string last_failure_;
};

}  // namespace nslookout::agent
