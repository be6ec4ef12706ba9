#include "agent/responses.h"

#include <algorithm>
#include <utility>

#include "base/dns_name.h"
#include "bpf/exchange.h"
#include "event/candidate.h"
#include "event/weight.h"

namespace nslookout::agent {
namespace {

std::string octets_of(const nsl_exchange& exchange) {
  return {reinterpret_cast<const char*>(&exchange), sizeof exchange};
}

bool same_question(const nsl_candidate& a, const nsl_candidate& b) {
  return a.record_type == b.record_type && a.record_class == b.record_class &&
         ascii_lower(event::wire_name(a)) == ascii_lower(event::wire_name(b));
}

bool repeats_question(const DnsResponse& response, const nsl_candidate& candidate) {
  if (response.questions.empty()) return !response.damaged;
  return std::ranges::any_of(response.questions, [&](const DnsQuestion& question) {
    return question.record_type == candidate.record_type && question.record_class == candidate.record_class &&
           question.wire == ascii_lower(event::wire_name(candidate));
  });
}

bool passed(std::uint64_t since, std::uint64_t now, std::chrono::nanoseconds window) {
  return now > since && now - since > static_cast<std::uint64_t>(window.count());
}

}  // namespace

void Responses::wait(std::string exchange, Awaiting query) {
  remove_same(exchange, query.candidate);
  const std::size_t octets = event::weight_of(query.event);
  while (!oldest_first_.empty() && (oldest_first_.size() >= limits_.queries || octets_ + octets > limits_.octets)) {
    ++counts_.evicted;
    (void)remove(oldest_first_.begin());
  }
  octets_ += octets;
  oldest_first_.push_back({std::move(exchange), std::move(query), octets});
  const auto position = std::prev(oldest_first_.end());
  by_exchange_.emplace(position->exchange, position);
  const auto early = std::ranges::find_if(early_, [&](const Early& response) {
    return response.exchange == position->exchange &&
           repeats_question(response.answer.response, position->query.candidate);
  });
  if (early == early_.end()) return;
  const Answer answer = std::move(early->answer);
  early_.erase(early);
  decide(position, &answer);
}

void Responses::take(const std::string& exchange, std::string_view message, std::uint64_t time) {
  std::optional<DnsResponse> response = parse_dns_response(message);
  if (!response || response->damaged) ++counts_.unreadable;
  if (!response) return;
  Answer found{std::move(*response), time};
  if (answer(exchange, found)) return;
  make_room_for_early();
  early_.push_back({exchange, std::move(found)});
}

// Responses that belong to no query are many, so that they go before those that one is held for.
void Responses::make_room_for_early() {
  if (early_.size() < limits_.early_responses) return;
  const auto other =
      std::ranges::find_if(early_, [&](const Early& early) { return !expected_.contains(early.exchange); });
  ++(other == early_.end() ? counts_.evicted : counts_.unmatched);
  early_.erase(other == early_.end() ? early_.begin() : other);
}

void Responses::expected(const std::string& exchange) {
  const auto found = expected_.find(exchange);
  if (found != expected_.end() && --found->second == 0) expected_.erase(found);
}

bool Responses::answer(const std::string& exchange, const Answer& answer) {
  std::vector<Position> answered;
  const auto [begin, end] = by_exchange_.equal_range(exchange);
  for (auto at = begin; at != end; ++at) {
    if (repeats_question(answer.response, at->second->query.candidate)) answered.push_back(at->second);
  }
  for (const Position position : answered) decide(position, &answer);
  return !answered.empty();
}

void Responses::decide(Position position, const Answer* answer) {
  ++(answer != nullptr ? counts_.answered : counts_.unanswered);
  Entry entry = remove(position);
  decide_(entry.query, answer);
}

Responses::Entry Responses::remove(Position position) {
  const auto [begin, end] = by_exchange_.equal_range(position->exchange);
  by_exchange_.erase(std::find_if(begin, end, [&](const auto& entry) { return entry.second == position; }));
  octets_ -= position->octets;
  Entry entry = std::move(*position);
  oldest_first_.erase(position);
  return entry;
}

void Responses::remove_same(const std::string& exchange, const nsl_candidate& candidate) {
  const auto [begin, end] = by_exchange_.equal_range(exchange);
  const auto same = std::find_if(
      begin, end, [&](const auto& entry) { return same_question(entry.second->query.candidate, candidate); });
  if (same != end) (void)remove(same->second);
}

void Responses::expire(std::uint64_t now) {
  while (!oldest_first_.empty() && passed(oldest_first_.front().query.time, now, limits_.window)) {
    decide(oldest_first_.begin(), nullptr);
  }
  while (!early_.empty() && passed(early_.front().answer.time, now, limits_.early_window)) {
    ++counts_.unmatched;
    early_.pop_front();
  }
}

void Responses::finish() {
  while (!oldest_first_.empty()) decide(oldest_first_.begin(), nullptr);
  counts_.unmatched += early_.size();
  early_.clear();
}

std::string exchange_of(const nsl_candidate& candidate) {
  nsl_exchange exchange{};
  nsl_exchange_of(&exchange, &candidate);
  return octets_of(exchange);
}

std::string exchange_of(const nsl_response& response) { return octets_of(response.exchange); }

}  // namespace nslookout::agent
