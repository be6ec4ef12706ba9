// Events, and candidates that no verdict is possible on yet, which wait until somebody has said what their container is.
//
// Invariants: nothing waits longer than Limits::time after it was added, nor is there more than Limits::events of it; of
// one container what came first leaves first. Thread rule: one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/search_suffix.h"
#include "bpf/abi.h"
#include "event/event.h"

namespace nslookout::agent {

struct Held {
  event::Event event;
  std::optional<nsl_candidate> undecided;  // a rule asks for what is not known yet
  std::vector<NameReading> readings = {};  // of its name, with undecided: the process may be gone when it is released
  // Another's container that has to be known first; else the event's own, which is set then.
  std::optional<event::Container> behind = {};
  std::uint32_t told = 0;  // nsl_candidate.told
  bool answered = false;   // set on release: all that may be told of the container was told

  [[nodiscard]] const event::Container& awaited() const { return behind ? *behind : *event.container; }
};

class Hold {
 public:
  using Clock = std::chrono::steady_clock;
  struct Limits {
    std::size_t events = 1024;       // about 3 KB each
    std::size_t octets = 64U << 20;  // of all of them
    std::chrono::milliseconds time{2000};
  };

  Hold() : Hold(Limits{}) {}
  explicit Hold(Limits limits) : limits_(limits) {}

  // False: there is no room, and held is as it was.
  [[nodiscard]] bool add(Held& held, Clock::time_point now);

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] bool has(const std::string& container_id) const { return counts_.contains(container_id); }

  // Those whose time is over, and those for which settled is true; it is asked once for each container.
  using Settled = std::function<bool(const event::Container& container)>;
  [[nodiscard]] std::vector<Held> take(Clock::time_point now, const Settled& settled);

 private:
  struct Item {
    Held held;
    Clock::time_point until;
    std::size_t octets = 0;
  };

  Limits limits_;
  std::list<Item> items_;  // as they came
  std::size_t octets_ = 0;
  std::unordered_map<std::string, std::size_t> counts_;
};

}  // namespace nslookout::agent
