#include "agent/forwarders.h"

#include <algorithm>

#include "base/dns_name.h"
#include "event/candidate.h"
#include "identity/kernel_process.h"

namespace nslookout::agent {
namespace {

// A request over a resolver's socket may be for addresses of both kinds: type 0, see nsl_candidate.
bool same_type(std::uint16_t asked, std::uint16_t copied) {
  constexpr std::uint16_t a = 1;
  constexpr std::uint16_t aaaa = 28;
  return asked == copied || (asked == 0 && (copied == a || copied == aaaa));
}

}  // namespace

bool Forwarders::copied_already(const Asked& query, std::uint16_t record_type) {
  return std::ranges::find(query.copied_types, record_type) != query.copied_types.end();
}

Forwarders::Asked* Forwarders::copied_by(const nsl_candidate& candidate, bool undecided) {
  if (candidate.sender.process.tgid == 0) return nullptr;
  forget_oldest(candidate.boottime);
  const auto found = by_name_.find(ascii_lower(event::wire_name(candidate)));
  if (found == by_name_.end()) return nullptr;
  Asked* client = nullptr;
  for (const Queries::iterator& query : found->second) {
    if (query->undecided.has_value() != undecided) continue;
    if (query->boottime > candidate.boottime || !same_type(query->record_type, candidate.record_type)) continue;
    if (identity::same_process(query->leg.client, candidate.sender.process)) continue;
    if (!serves_(candidate.sender, query->leg, candidate.boottime)) continue;
    client = &*query;
    if (!copied_already(*query, candidate.record_type)) break;
  }
  return client;
}

std::optional<std::string> Forwarders::client_of(const nsl_candidate& candidate) {
  Asked* const client = copied_by(candidate, false);
  if (client == nullptr) return std::nullopt;
  if (!copied_already(*client, candidate.record_type)) client->copied_types.push_back(candidate.record_type);
  return client->event_id;
}

std::optional<event::Container> Forwarders::undecided_client_of(const nsl_candidate& candidate) {
  const Asked* const client = copied_by(candidate, true);
  return client == nullptr ? std::nullopt : client->undecided;
}

void Forwarders::note(const nsl_candidate& candidate, std::string_view first_event_id) {
  add(candidate, first_event_id, std::nullopt);
}

void Forwarders::note_undecided(const nsl_candidate& candidate, const event::Container& container) {
  add(candidate, "", container);
}

void Forwarders::decided(const nsl_candidate& candidate) {
  const auto found = by_name_.find(ascii_lower(event::wire_name(candidate)));
  if (found == by_name_.end()) return;
  const auto same = std::ranges::find_if(found->second, [&](const Queries::iterator& query) {
    return query->undecided && query->boottime == candidate.boottime && query->record_type == candidate.record_type &&
           identity::same_process(query->leg.client, candidate.sender.process);
  });
  if (same == found->second.end()) return;  // forgotten meanwhile
  oldest_first_.erase(*same);
  found->second.erase(same);
  if (found->second.empty()) by_name_.erase(found);
}

void Forwarders::add(const nsl_candidate& candidate, std::string_view event_id,
                     std::optional<event::Container> undecided) {
  if (candidate.sender.process.tgid == 0) return;
  forget_oldest(candidate.boottime);
  Asked query{.name = ascii_lower(event::wire_name(candidate)),
              .record_type = candidate.record_type,
              .boottime = candidate.boottime,
              .leg = identity::ClientLeg::of(candidate),
              .event_id = std::string(event_id),
              .copied_types = {},
              .undecided = std::move(undecided)};
  auto& queries = by_name_[query.name];
  if (queries.size() >= clients_of_a_name) {
    oldest_first_.erase(queries.front());
    queries.pop_front();
  }
  queries.push_back(oldest_first_.insert(oldest_first_.end(), std::move(query)));
}

void Forwarders::forget_oldest(std::uint64_t now) {
  const auto expired = [&](const Asked& query) {
    return now > query.boottime && now - query.boottime > static_cast<std::uint64_t>(window.count());
  };
  while (!oldest_first_.empty() && (expired(oldest_first_.front()) || oldest_first_.size() >= capacity)) forget_front();
}

// Of the queries for a name the front of the list is the oldest too.
void Forwarders::forget_front() {
  const auto found = by_name_.find(oldest_first_.front().name);
  found->second.pop_front();
  if (found->second.empty()) by_name_.erase(found);
  oldest_first_.pop_front();
}

}  // namespace nslookout::agent
