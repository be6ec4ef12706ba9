#include "agent/hold.h"

#include <utility>

#include "event/weight.h"

namespace nslookout::agent {

bool Hold::add(Held& held, Clock::time_point now) {
  const std::size_t octets = event::weight_of(held.event);
  if (items_.size() >= limits_.events || octets_ + octets > limits_.octets) return false;
  octets_ += octets;
  ++counts_[held.awaited().id];
  items_.push_back({std::move(held), now + limits_.time, octets});
  return true;
}

std::vector<Held> Hold::take(Clock::time_point now, const Settled& settled) {
  std::vector<Held> taken;
  std::unordered_map<std::string, bool> answers;
  for (auto item = items_.begin(); item != items_.end();) {
    const event::Container& container = item->held.awaited();
    auto answer = answers.find(container.id);
    if (answer == answers.end()) answer = answers.emplace(container.id, settled(container)).first;
    if (!answer->second && now < item->until) {
      ++item;
      continue;
    }
    const auto count = counts_.find(container.id);
    if (--count->second == 0) counts_.erase(count);
    octets_ -= item->octets;
    taken.push_back(std::move(item->held));
    item = items_.erase(item);
  }
  return taken;
}

}  // namespace nslookout::agent
