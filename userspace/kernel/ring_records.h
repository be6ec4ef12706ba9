// What the kernel programs put into their rings, told from one another by size and read out.
//
// The programs write whole structures, but some of their octets are a process's own (names, requests, responses): what a
// record says of lengths is never taken for more than the record has. A record that is too short is passed over.
// The octets of a record are aligned to 8. Thread rule: any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "bpf/abi.h"

namespace nslookout::kernel {

using CandidateHandler = std::function<void(const nsl_candidate&)>;
// message: the response from its header on.
using ResponseHandler = std::function<void(const nsl_response&, std::string_view message)>;
using BypassHandler = std::function<void(const nsl_bypass&)>;

// Of the rings nsl_candidates and nsl_observed: a candidate, or a request that may hold several. Returns how many requests
// could not be read.
std::size_t take_candidates(std::string_view record, const CandidateHandler& handler);

// Of the ring nsl_responses.
void take_response(std::string_view record, const ResponseHandler& handler);

// Of the ring nsl_bypasses.
void take_bypass(std::string_view record, const BypassHandler& handler);

}  // namespace nslookout::kernel
