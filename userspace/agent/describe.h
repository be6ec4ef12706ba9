// Between a candidate, the verifier and the event.
// Thread rule: any thread.
#pragma once

#include <string>
#include <vector>

#include "agent/responses.h"
#include "base/dns_response.h"
#include "base/result.h"
#include "base/search_suffix.h"
#include "bpf/abi.h"
#include "event/event.h"
#include "match/query.h"
#include "match/verifier.h"

namespace nslookout::agent {

// The name and the record type, which most rules ask for alone.
[[nodiscard]] match::Query query_of(const nsl_candidate& candidate);

// The same of a lookup that is kept as an event, with its circumstances and its response if there is one; the flags of its
// header are not known any more. Error: invalid, for an event without a name that can be looked up. The event must outlive
// the query.
[[nodiscard]] Result<match::Query> query_of(const event::Event& event);

// The rest of what rules may ask for, as far as the event says it.
[[nodiscard]] match::Query::Circumstances circumstances(const event::Event& event);

// Says in dns that the query is a lookup of the name of the reading; nothing where there is none.
void mark_expanded(event::Dns& dns, const NameReading* reading);

// The names by which the lookup is known to be one with others: its own and those before a search suffix.
[[nodiscard]] std::vector<std::string> names_of_lookup(const event::Dns& dns, const std::vector<NameReading>& readings);

[[nodiscard]] event::Rule describe_rule(const match::Hit& hit);

// The hits, at least one, and the event's kind by them: kind, unless correlations alone came true.
void add_hits(const std::vector<match::Hit>& hits, event::Kind kind, event::Event& event);

// What became of a query that the tables block: the action, and a rule of its own where nothing allowed it and no rule or list
// hit. Whether it is to be reported for that alone.
[[nodiscard]] bool was_judged(const nsl_candidate& candidate);
void add_verdict(const nsl_candidate& candidate, event::Event& event);

// What the response says, for the rules.
void add_response(match::Query& query, const DnsResponse& response);

// Makes of a query's event one about its response, or about the lack of one: the same lookup, without what was found
// about the query alone.
void describe_response(event::Event& event, const Awaiting& query, const Answer* answer);

}  // namespace nslookout::agent
