// Puts what was observed into a history, on a thread of its own: whoever records waits for no disk.
//
// Invariants: record() and add_repeats() take a lock for as long as it takes to append to a queue; what finds the queue full
// is lost to the history, and counted. The history never ends detection: a file that is damaged is moved aside and begun
// anew, a disk that is full costs what could not be written. Either is said once, and every event that the history
// lacks is counted in lost().
// Thread rule: record() and add_repeats() from one thread, the rest from any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "event/event.h"
#include "history/store.h"

namespace nslookout::history {

class Recorder {
 public:
  // A damaged file is moved aside. Errors: runtime for a file that cannot be opened, invalid for one of something else.
  [[nodiscard]] static Result<std::unique_ptr<Recorder>> start(const std::string& path, const Limits& limits);

  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  // Writes what is queued.
  ~Recorder();

  // Of events that are no lookups (inventory/inventory.h) nothing is done.
  void record(const event::Event& event);
  // Further lookups like the event that was recorded with this id; of one that is long ago nothing is done.
  void add_repeats(const std::string& event_id, std::uint64_t count, WallTime last);

  [[nodiscard]] std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  struct Repeats {
    std::string event_id;
    std::uint64_t count = 0;
    WallTime last;
  };
  using Item = std::variant<event::Event, Repeats>;

  Recorder(std::string path, const Limits& limits, Store store);

  void enqueue(Item item);
  void work();
  void write(const std::vector<Item>& batch);
  [[nodiscard]] Result<void> write_once(const std::vector<Item>& batch);
  [[nodiscard]] Result<void> write_item(const Item& item);
  void remember(const std::string& event_id, Store::Row row);
  [[nodiscard]] std::optional<Store::Row> row_of(const std::string& event_id) const;
  // After an error: whether it is worth another try.
  [[nodiscard]] bool mend(const Error& error);
  static void say_once(bool& said, const Error& error, const char* consequence);

  const std::string path_;
  const Limits limits_;

  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<Item> queue_;
  std::size_t queue_octets_ = 0;
  bool ending_ = false;
  std::atomic<std::uint64_t> lost_ = 0;

  // Of the thread alone.
  std::unique_ptr<Store> store_;  // none: it could not be begun anew
  std::unordered_map<std::string, Store::Row> rows_;
  std::deque<std::string> remembered_;                    // keys of rows_, oldest first
  std::unordered_map<std::string, Store::Row> new_rows_;  // of the batch that is being written
  bool said_full_ = false;
  bool said_other_ = false;

  std::thread thread_;
};

}  // namespace nslookout::history
