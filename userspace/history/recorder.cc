#include "history/recorder.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "base/quiet_thread.h"
#include "event/weight.h"
#include "inventory/inventory.h"

namespace nslookout::history {
namespace {

constexpr std::size_t queue_limit = 8192;        // a few kilobytes each
constexpr std::size_t queue_octets = 64U << 20;  // of all of them
constexpr std::chrono::milliseconds batch_time{500};
constexpr std::size_t remembered_limit = 131072;  // events of which repeats may still be told

// Moves a damaged file aside, once.
Result<Store> open_or_begin_anew(const std::string& path, const Limits& limits) {
  Store::Trouble trouble = Store::Trouble::none;
  auto store = Store::open(path, limits, &trouble);
  if (store || trouble != Store::Trouble::corrupt) return store;
  const auto aside = move_aside(path);
  if (!aside) return fail(aside.error());
  log::error("{}; it is moved to {}, and a new one begun", store.error().message, *aside);
  return Store::open(path, limits);
}

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::start(const std::string& path, const Limits& limits) {
  auto store = open_or_begin_anew(path, limits);
  if (!store) return fail(store.error());
  return std::unique_ptr<Recorder>(new Recorder(path, limits, std::move(*store)));
}

Recorder::Recorder(std::string path, const Limits& limits, Store store)
    : path_(std::move(path)), limits_(limits), store_(std::make_unique<Store>(std::move(store))) {
  thread_ = start_quiet_thread([this] { work(); });
}

Recorder::~Recorder() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  more_.notify_one();
  thread_.join();
}

void Recorder::record(const event::Event& event) {
  if (event.dns && inventory::is_lookup(event)) enqueue(event);
}

void Recorder::add_repeats(const std::string& event_id, std::uint64_t count, WallTime last) {
  enqueue(Repeats{event_id, count, last});
}

void Recorder::enqueue(Item item) {
  const auto* event = std::get_if<event::Event>(&item);
  const std::size_t octets = event != nullptr ? event::weight_of(*event) : sizeof item;
  const std::scoped_lock lock(mutex_);
  if (queue_.size() >= queue_limit || queue_octets_ + octets > queue_octets) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  queue_octets_ += octets;
  queue_.push_back(std::move(item));
}

void Recorder::work() {
  std::vector<Item> batch;
  bool ending = false;
  while (!ending) {
    {
      std::unique_lock lock(mutex_);
      more_.wait_for(lock, batch_time, [&] { return ending_; });
      ending = ending_;
      batch.swap(queue_);
      queue_octets_ = 0;
    }
    if (!batch.empty()) write(batch);
    batch.clear();
  }
}

void Recorder::write(const std::vector<Item>& batch) {
  if (store_ != nullptr) {
    auto written = write_once(batch);
    if (written) return;
    if (mend(written.error())) {
      written = write_once(batch);
      if (written) return;
      (void)mend(written.error());
    }
  }
  lost_.fetch_add(batch.size(), std::memory_order_relaxed);
}

Result<void> Recorder::write_once(const std::vector<Item>& batch) {
  auto done = store_->begin();
  for (const Item& item : batch) {
    if (!done) break;
    done = write_item(item);
  }
  if (done) done = store_->commit();
  if (!done) {
    store_->roll_back();
    new_rows_.clear();
    return done;
  }
  // Not before: another lookup's row may have the number of one that was rolled back.
  for (const auto& [event_id, row] : new_rows_) remember(event_id, row);
  new_rows_.clear();
  return done;
}

Result<void> Recorder::write_item(const Item& item) {
  if (const auto* repeats = std::get_if<Repeats>(&item)) {
    const auto row = row_of(repeats->event_id);
    return row ? store_->add_repeats(*row, repeats->count, repeats->last) : Result<void>{};
  }
  const auto& event = std::get<event::Event>(item);
  const auto row = store_->add(event, 1);
  if (!row) return fail(row.error());
  new_rows_.insert_or_assign(event.event_id, *row);
  return {};
}

std::optional<Store::Row> Recorder::row_of(const std::string& event_id) const {
  if (const auto known = rows_.find(event_id); known != rows_.end()) return known->second;
  const auto fresh = new_rows_.find(event_id);
  return fresh == new_rows_.end() ? std::nullopt : std::optional(fresh->second);
}

void Recorder::remember(const std::string& event_id, Store::Row row) {
  if (!rows_.insert_or_assign(event_id, row).second) return;
  remembered_.push_back(event_id);
  if (remembered_.size() <= remembered_limit) return;
  rows_.erase(remembered_.front());
  remembered_.pop_front();
}

bool Recorder::mend(const Error& error) {
  switch (store_->trouble()) {
    case Store::Trouble::full:
      say_once(said_full_, error, "lookups are not recorded until there is room");
      return false;
    case Store::Trouble::corrupt: {
      store_.reset();
      rows_.clear();
      remembered_.clear();
      const auto aside = move_aside(path_);
      if (aside) log::error("{}; it is moved to {}, and a new one begun", error.message, *aside);
      auto anew = aside ? Store::open(path_, limits_) : Result<Store>(fail(aside.error()));
      if (anew) {
        store_ = std::make_unique<Store>(std::move(*anew));
        return true;
      }
      say_once(said_other_, anew.error(), "lookups are not recorded any more");
      return false;
    }
    default:
      say_once(said_other_, error, "lookups are lost to it");
      return false;
  }
}

void Recorder::say_once(bool& said, const Error& error, const char* consequence) {
  if (std::exchange(said, true)) return;
  log::error("{}: {}; detection goes on, and what the history lacks is counted as lost at the stage history",
             error.message, consequence);
}

}  // namespace nslookout::history
