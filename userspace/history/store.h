// The history on disk: an SQLite file (sqlite.org/fileformat.html) with one row for each lookup of inventory/lookup.h.
//
//   table lookups: key (unique: the parts of inventory::Key, each after its length), name, type, executable, package,
//     container, first and last (ns since 1970), count, action (the strongest, as in the schema of events), event (the first
//     one, protobuf)
//   table facts: evicted (rows that went for lack of room)
//   application_id and user_version say that the file is a history and of which form.
//
// Invariants: at most max_rows rows and max_octets octets in the file (besides its write-ahead log); those that were seen
// last the longest ago go first, and are counted. A new file has mode 0600. A file that is no database is never written to:
// the agent moves it aside.
// Thread rule: one thread per store; any number of processes may read while one writes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "inventory/lookup.h"

struct sqlite3;
struct sqlite3_stmt;

namespace nslookout::history {

inline constexpr const char* default_path = "/var/lib/nslookout/history.db";
inline constexpr std::uint64_t default_max_rows = 100'000;
inline constexpr std::uint64_t octets_of_row = 8192;  // room for one in the file; most take half of it

struct Limits {
  std::uint64_t max_rows = default_max_rows;
  std::uint64_t max_octets = default_max_rows * octets_of_row;
};

[[nodiscard]] constexpr Limits limits_of_rows(std::uint64_t rows) {
  constexpr std::uint64_t least = 1U << 20;  // the tables themselves, and pages that are half full
  return {rows, least + rows * octets_of_row};
}

// Whether the file begins as an SQLite database does.
[[nodiscard]] bool is_database(const std::string& path);

// Gives the file, and what belongs to it, the name PATH.corrupt-<seconds since 1970>, which is returned. Error: runtime.
[[nodiscard]] Result<std::string> move_aside(const std::string& path);

class Store {
 public:
  enum class Trouble : std::uint8_t {
    none,
    full,  // the disk, a quota, or max_octets
    corrupt,
    other
  };
  using Row = std::int64_t;

  // Creates the file, or goes on with it. Errors: runtime, and then trouble says of which kind; invalid for a database of
  // something else or of another version.
  [[nodiscard]] static Result<Store> open(const std::string& path, const Limits& limits, Trouble* trouble = nullptr);
  [[nodiscard]] static Result<Store> open_to_read(const std::string& path);

  // Writes go between the two; an error of one of them ends the transaction, and nothing of it is kept.
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<void> commit();
  void roll_back();

  // Adds the event as `count` lookups; the row that stands for it. The event has a name.
  [[nodiscard]] Result<Row> add(const event::Event& event, std::uint64_t count);
  // More lookups of a row that add() named; nothing where it has gone.
  [[nodiscard]] Result<void> add_repeats(Row row, std::uint64_t count, WallTime last);
  // Of the error that was last.
  [[nodiscard]] Trouble trouble() const { return trouble_; }

  // Those last seen at `since` or later, in the order in which they were seen last. rules of a lookup are those of its
  // event. Errors: runtime; the visitor's own.
  using Visit = std::function<Result<void>(const inventory::Lookup&)>;
  [[nodiscard]] Result<void> each(WallTime since, const Visit& visit);

  struct Facts {
    std::uint64_t rows = 0;
    std::uint64_t evicted = 0;
  };
  [[nodiscard]] Result<Facts> facts();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Database = std::unique_ptr<sqlite3, Close>;
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  Store(std::string path, Database database) : path_(std::move(path)), database_(std::move(database)) {}

  [[nodiscard]] Result<void> prepare_to_write(const Limits& limits);
  [[nodiscard]] Result<void> check_form();
  [[nodiscard]] Result<void> create();
  [[nodiscard]] Result<void> run(const char* sql);
  [[nodiscard]] Result<std::int64_t> number(const char* sql);
  [[nodiscard]] Result<Statement> statement(const char* sql);
  // Runs it to its end and makes it ready for the next time.
  [[nodiscard]] Result<void> step(sqlite3_stmt* statement);
  [[nodiscard]] Result<void> evict(std::uint64_t rows);
  [[nodiscard]] Result<void> keep_to_limits();
  [[nodiscard]] Result<std::uint64_t> pages_used();
  [[nodiscard]] tl::unexpected<Error> failure();

  std::string path_;
  Database database_;
  Statement update_, insert_, repeat_, evict_, page_count_, free_pages_;
  std::uint64_t max_rows_ = 0;
  std::uint64_t max_pages_ = 0;
  std::uint64_t rows_ = 0;
  std::uint32_t unchecked_ = 0;         // rows that were added since the pages were counted
  std::uint64_t unchecked_octets_ = 0;  // of their messages
  std::uint64_t rows_before_ = 0;       // the transaction
  Trouble trouble_ = Trouble::none;
};

}  // namespace nslookout::history
