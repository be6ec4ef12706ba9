// Which queries are a forwarder's copies of another process's (DESIGN section 5: `role`, `duplicate_of`).
//
// A query is a copy if its sender is the server of an earlier query for the same name and type, of another process, within
// the window. Whether it is that server is asked of the caller (identity/servers.h), and only for queries that agree in all
// else: an unrelated process that asks for the same name at the same time stays a client with an alert of its own.
// Invariants: only queries that were noted, which are those that became events, have copies; memory is bounded; of
// several clients of one forwarder the first one without a copy has the next copy, then the last one.
// Units: times are nanoseconds since boot. Thread rule: one thread.
//
//   if (const auto client = forwarders.client_of(candidate)) … the event_id of the client's lookup
//   forwarders.note(candidate, first_event_id_of_the_lookup);
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "event/event.h"
#include "identity/servers.h"

namespace nslookout::agent {

class Forwarders {
 public:
  // Whether the sender of a query is the server of an earlier one; now: of the query.
  using Serves = std::function<bool(const nsl_sender&, const identity::ClientLeg&, std::uint64_t now)>;

  explicit Forwarders(Serves serves) : serves_(std::move(serves)) {}

  // What note() was given for the query that this one copies.
  [[nodiscard]] std::optional<std::string> client_of(const nsl_candidate& candidate);

  // Remembers a query that became an event, with the event_id of its lookup's first event. Copies are noted too: a
  // forwarder may have a forwarder.
  void note(const nsl_candidate& candidate, std::string_view first_event_id);

  // Remembers a query that is not decided yet, since somebody is being asked what its container is; a copy of it has to wait for
  // that, or it would be taken for a lookup of its own. decided(): it is, before anything else is asked about it.
  void note_undecided(const nsl_candidate& candidate, const event::Container& container);
  void decided(const nsl_candidate& candidate);
  // The container of an undecided query that this one copies.
  [[nodiscard]] std::optional<event::Container> undecided_client_of(const nsl_candidate& candidate);

  [[nodiscard]] std::size_t size() const { return oldest_first_.size(); }

  static constexpr std::chrono::nanoseconds window = std::chrono::seconds{5};
  static constexpr std::size_t capacity = 8192;  // queries remembered
  static constexpr std::size_t clients_of_a_name = 32;

 private:
  struct Asked {
    std::string name;  // wire form, lower case
    std::uint16_t record_type = 0;
    std::uint64_t boottime = 0;
    identity::ClientLeg leg;
    std::string event_id;
    std::vector<std::uint16_t> copied_types;
    std::optional<event::Container> undecided;
  };
  using Queries = std::list<Asked>;

  // The one that is copied, of the undecided ones or of the others.
  [[nodiscard]] Asked* copied_by(const nsl_candidate& candidate, bool undecided);
  void add(const nsl_candidate& candidate, std::string_view event_id, std::optional<event::Container> undecided);
  [[nodiscard]] static bool copied_already(const Asked& query, std::uint16_t record_type);
  void forget_oldest(std::uint64_t now);
  void forget_front();

  Serves serves_;
  Queries oldest_first_;
  std::unordered_map<std::string, std::deque<Queries::iterator>> by_name_;  // oldest first
};

}  // namespace nslookout::agent
