// From a DNS message to its questions, by the parser of the kernel programs (bpf/dns.h).
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <functional>

#include "bpf/abi.h"
#include "capture/counts.h"
#include "capture/octets.h"

namespace nslookout::capture {

struct Question {
  // The fields of the message and the question are set; addresses, time and sender are not.
  nsl_candidate candidate{};
  // As nsl_plausible_query says: where it is not, the kernel lets only listed names out.
  bool plausible = false;
};

using QuestionHandler = std::function<void(const Question&)>;

// Calls handler for each question, up to the first that cannot be read. Success: at least one was read.
// message: what there is of it, from its header on; full_length: its octets on the wire. A message that is cut behind its
// question is read as any other.
// Skips: not_query (a response, another opcode, no question), malformed_question, cut.
[[nodiscard]] Taken<void> read_questions(Octets message, std::size_t full_length, const QuestionHandler& handler);

}  // namespace nslookout::capture
