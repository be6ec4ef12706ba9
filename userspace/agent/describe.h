// Between a candidate, the verifier and the event.
// Thread rule: any thread.
#pragma once

#include "bpf/abi.h"
#include "event/event.h"
#include "match/query.h"
#include "match/verifier.h"

namespace nslookout::agent {

// The name and the record type, which most rules ask for alone.
[[nodiscard]] match::Query query_of(const nsl_candidate& candidate);

// The rest of what rules may ask for, as far as the event says it.
[[nodiscard]] match::Query::Circumstances circumstances(const event::Event& event);

[[nodiscard]] event::Rule describe_rule(const match::Hit& hit);

}  // namespace nslookout::agent
