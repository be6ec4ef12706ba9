// Queries whose responses are waited for, and which response answers which query.
//
// A response answers a query when it comes over the same exchange (the query's socket, server, id and transport) within
// the window and repeats its name (in any case), type and class; a response without a question, as servers refuse with,
// answers every query of its exchange. A query sent again with everything the same takes the earlier one's place. Any
// other response (late, a second one, of another name) decides nothing and is counted.
//
// Invariants: each query is handed on once at most, with its response or, when the window has passed, without; memory is
// bounded, and what is pushed out is counted. A response may come a little before its query: the kernel hands the two
// over separately. Times are nanoseconds of one clock, the caller's. Thread rule: one thread.
//
//   Responses responses([&](Awaiting& query, const Answer* answer) { … });
//   responses.wait(exchange_of(candidate), std::move(awaiting));
//   responses.take(exchange_of(response), message, response.boottime);
//   responses.expire(now);
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/dns_response.h"
#include "base/search_suffix.h"
#include "bpf/abi.h"
#include "event/event.h"

namespace nslookout::agent {

struct Generation;  // generations.h

// A query whose response is waited for.
struct Awaiting {
  nsl_candidate candidate{};
  std::uint64_t time = 0;           // when it was sent
  std::vector<std::uint32_t> open;  // rules that the response decides (match::EarlyHits)
  event::Event event;               // as far as it was described
  bool described = false;
  bool reported = false;                   // event was written, for the query alone
  std::vector<NameReading> readings = {};  // of its name
  std::shared_ptr<Generation> rules = {};  // whose indexes open has
};

struct Answer {
  DnsResponse response;
  std::uint64_t time = 0;
};

struct ResponseCounts {
  std::uint64_t answered = 0;    // queries
  std::uint64_t unanswered = 0;  // queries whose window passed
  std::uint64_t evicted = 0;     // queries that were pushed out, undecided, and expected responses
  std::uint64_t unmatched = 0;   // responses that answer no query
  std::uint64_t unreadable = 0;  // responses that could not be read, or not to the end of their answers
};

struct ResponseLimits {
  std::chrono::nanoseconds window = std::chrono::seconds{10};
  std::size_t queries = 16384;
  std::size_t octets = 64U << 20;                                   // of their events
  std::chrono::nanoseconds early_window = std::chrono::seconds{3};  // a query may be held for its container
  std::size_t early_responses = 1024;
};

class Responses {
 public:
  // answer: none where the window passed.
  using Decide = std::function<void(Awaiting&, const Answer* answer)>;

  explicit Responses(Decide decide, const ResponseLimits& limits = {}) : decide_(std::move(decide)), limits_(limits) {}
  Responses(const Responses&) = delete;
  Responses& operator=(const Responses&) = delete;
  ~Responses() = default;

  void wait(std::string exchange, Awaiting query);
  void take(const std::string& exchange, std::string_view message, std::uint64_t time);

  // A query of this exchange is held and will come to wait(): until expected(), a response of it is kept before all others.
  void expect(const std::string& exchange) { ++expected_[exchange]; }
  void expected(const std::string& exchange);

  // Decides the queries whose window has passed at now.
  void expire(std::uint64_t now);

  // Decides all that still wait, as unanswered.
  void finish();

  [[nodiscard]] std::size_t waiting() const { return oldest_first_.size(); }  // queries
  [[nodiscard]] const ResponseCounts& counts() const { return counts_; }

 private:
  struct Entry {
    std::string exchange;
    Awaiting query;
    std::size_t octets = 0;
  };
  using Position = std::list<Entry>::iterator;
  struct Early {
    std::string exchange;
    Answer answer;
  };

  bool answer(const std::string& exchange, const Answer& answer);
  void decide(Position position, const Answer* answer);
  [[nodiscard]] Entry remove(Position position);
  void make_room_for_early();
  void remove_same(const std::string& exchange, const nsl_candidate& candidate);

  Decide decide_;
  ResponseLimits limits_;
  ResponseCounts counts_;
  std::list<Entry> oldest_first_;
  std::size_t octets_ = 0;  // of them
  std::unordered_multimap<std::string, Position> by_exchange_;
  std::deque<Early> early_;                                // oldest first
  std::unordered_map<std::string, std::size_t> expected_;  // by exchange: how many queries
};

// The exchange of a candidate, or of a response, of the sensor: octets that are equal for both.
[[nodiscard]] std::string exchange_of(const nsl_candidate& candidate);
[[nodiscard]] std::string exchange_of(const nsl_response& response);

}  // namespace nslookout::agent
