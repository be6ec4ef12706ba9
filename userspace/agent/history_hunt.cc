#include "agent/history_hunt.h"

#include <algorithm>
#include <utility>

#include "agent/past_rules.h"
#include "base/log.h"
#include "base/quiet_thread.h"
#include "base/text.h"
#include "history/store.h"

namespace nslookout::agent {
namespace {

// A rule without an id is known by its title and its file.
bool is_same(const event::Rule& one, const event::Rule& other) {
  return one.id == other.id && (!one.id.empty() || (one.title == other.title && one.file == other.file));
}

}  // namespace

HistoryHunt::HistoryHunt(std::string path, std::chrono::nanoseconds back)
    : path_(std::move(path)), back_(back), thread_(start_quiet_thread([this] { work(); })) {}

HistoryHunt::~HistoryHunt() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  more_.notify_one();
  thread_.join();
}

void HistoryHunt::start(std::shared_ptr<const compile::Plan> before, std::shared_ptr<const compile::Plan> now) {
  {
    const std::scoped_lock lock(mutex_);
    changes_.push_back({std::move(before), std::move(now)});
  }
  more_.notify_one();
}

std::vector<event::Event> HistoryHunt::take() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(found_, {});
}

void HistoryHunt::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    more_.wait(lock, [this] { return ending_ || !changes_.empty(); });
    if (ending_) return;
    const Change change = std::move(changes_.front());
    changes_.pop_front();
    lock.unlock();
    hunt(change);
    lock.lock();
  }
}

void HistoryHunt::hunt(const Change& change) {
  auto store = history::Store::open_to_read(path_);
  if (!store) {
    log::error("the new rules are not held against the history: {}", store.error().message);
    return;
  }
  PastRules before(*change.before);
  PastRules now(*change.now);
  std::vector<event::Event> found;
  std::size_t left_out = 0;
  const auto visited =
      store->each(std::chrono::system_clock::now() - back_, [&](const inventory::Lookup& lookup) -> Result<void> {
        if (ending_) return fail(ErrorClass::runtime, "the agent ends");
        std::vector<event::Rule> rules = now.of(lookup.event);
        if (rules.empty()) return {};
        const std::vector<event::Rule> known = before.of(lookup.event);
        std::erase_if(rules, [&](const event::Rule& rule) {
          return std::ranges::any_of(known, [&](const event::Rule& other) { return is_same(rule, other); });
        });
        if (rules.empty()) return {};
        if (found.size() == most_found) {
          ++left_out;
          return {};
        }
        event::Event event = lookup.event;
        event.rules = std::move(rules);
        event.time = lookup.last;
        found.push_back(std::move(event));
        return {};
      });
  if (!visited && !ending_) {
    log::error("the new rules were not held against all of the history: {}", visited.error().message);
  }
  if (!found.empty()) {
    log::warning("new rules match {} of the history{}", counted(found.size(), "lookup"),
                 left_out > 0 ? ", and more that are not reported; `nslookout hunt` shows all" : "");
  }
  const std::scoped_lock lock(mutex_);
  std::ranges::move(found, std::back_inserter(found_));
}

}  // namespace nslookout::agent
