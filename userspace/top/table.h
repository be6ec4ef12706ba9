// Lookups as they come, counted by process and by name: what `nslookout top` shows.
//
// Invariants: at most max_rows rows of each kind; when there are more, the one that was not seen for the longest time goes,
// one that matched last of all. What counts as a lookup is said in report/grouping.h.
// Strings are as the events have them, hostile ones included: screen.h escapes them.
// Thread rule: one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "event/event.h"

namespace nslookout::top {

inline constexpr std::size_t max_rows = 5000;

// Lookups a second over the last ten seconds, by the seconds in which they were asked.
class Rate {
 public:
  static constexpr std::int64_t seconds = 10;

  void add(std::int64_t second, std::uint64_t count = 1);
  [[nodiscard]] double at(std::int64_t now) const;

 private:
  std::array<std::uint32_t, seconds> counts_ = {};
  std::int64_t latest_ = 0;
};

struct Row {
  std::string what;   // the process ("4311 node setup.js") or the name
  std::string other;  // the name that was asked last, or the process that asked last
  std::string place;  // package, else container, else CI step
  std::uint64_t count = 0, matched = 0, blocked = 0;
  WallTime last;
  Rate rate;
};

enum class View : std::uint8_t { processes, names };
enum class Order : std::uint8_t { rate, count, matched, blocked, last, text };

class Table {
 public:
  void add(const event::Event& event);

  struct Shown {
    View view = View::processes;
    Order order = Order::rate;
    bool reversed = false;
    std::string filter = {};  // a part of what, other or place; case of ASCII letters does not matter
  };
  // In the order that was asked for; valid until the next add.
  [[nodiscard]] std::vector<const Row*> rows(const Shown& shown, std::int64_t now) const;

  // Of all.
  [[nodiscard]] const Row& totals() const { return totals_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  using Rows = std::map<std::string, Row>;  // by pid, start and executable; by name

  static void count(Row& row, const event::Event& event);
  // The row of this key; what is seen of it now is what it shows, unless something later has been.
  static Row& row_of(Rows& rows, const std::string& key, const event::Event& event, Row seen);

  Rows processes_, names_;
  Row totals_;
  std::uint64_t lost_ = 0;
};

}  // namespace nslookout::top
