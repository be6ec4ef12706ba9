#include "history/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/fd.h"
#include "event/codec.h"

namespace nslookout::history {
namespace {

constexpr int schema_version = 1;
constexpr std::int64_t application_id = 0x4E534C4F;  // "NSLO"
constexpr std::uint64_t page_octets = 4096;
constexpr int busy_milliseconds = 5000;
constexpr std::uint32_t rows_between_checks = 16;  // of the pages in use
constexpr std::uint64_t pages_in_reserve = 128;    // for the rows until the next check
// A process chooses how long its event is, up to some hundred kilobytes: half of the reserve is left for the last one.
constexpr std::uint64_t octets_between_checks = pages_in_reserve * page_octets / 2;

std::int64_t nanoseconds(WallTime time) { return time.time_since_epoch().count(); }
WallTime wall_time(std::int64_t nanoseconds) { return WallTime{std::chrono::nanoseconds{nanoseconds}}; }

void bind_text(sqlite3_stmt* statement, int at, std::string_view text) {
  sqlite3_bind_text64(statement, at, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}
void bind_blob(sqlite3_stmt* statement, int at, std::string_view octets) {
  sqlite3_bind_blob64(statement, at, octets.data(), octets.size(), SQLITE_TRANSIENT);
}
void bind_number(sqlite3_stmt* statement, int at, std::int64_t number) { sqlite3_bind_int64(statement, at, number); }

std::string_view blob(sqlite3_stmt* statement, int column) {
  const auto* octets = static_cast<const char*>(sqlite3_column_blob(statement, column));
  return {octets, octets == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

// Parts may hold any octet, so that each has its length in front.
std::string octets_of(const inventory::Key& key) {
  std::string octets;
  for (const std::string& part : key) octets += fmt::format("{}:{}", part.size(), part);
  return octets;
}

event::Action action_of(const event::Event& event) {
  return event.rules.empty() ? event::Action::unspecified : event.action;
}

Store::Trouble trouble_of(int code) {
  if (code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_TRUNCATE || code == SQLITE_IOERR_SHMSIZE) {
    return Store::Trouble::full;  // EFBIG, EDQUOT
  }
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return Store::Trouble::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Store::Trouble::corrupt;
    default:
      return Store::Trouble::other;
  }
}

}  // namespace

void Store::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void Store::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

bool is_database(const std::string& path) {
  constexpr std::string_view beginning("SQLite format 3\0", 16);
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, beginning.size()> octets{};
  return fd.valid() && ::pread(fd.get(), octets.data(), octets.size(), 0) == static_cast<ssize_t>(octets.size()) &&
         std::string_view(octets.data(), octets.size()) == beginning;
}

Result<std::string> move_aside(const std::string& path) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::string aside = fmt::format("{}.corrupt-{}", path, now.time_since_epoch().count());
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (std::rename((path + suffix).c_str(), (aside + suffix).c_str()) == 0 || errno == ENOENT) continue;
    return fail(ErrorClass::runtime, "{}{} cannot be moved aside: {}", path, suffix, errno_text(errno));
  }
  return aside;
}

tl::unexpected<Error> Store::failure() {
  const int code = sqlite3_extended_errcode(database_.get());
  const int error = sqlite3_system_errno(database_.get());
  trouble_ = trouble_of(code);
  const std::string text = sqlite3_errmsg(database_.get());
  if ((code & 0xFF) == SQLITE_IOERR || (code & 0xFF) == SQLITE_CANTOPEN) {
    return fail(ErrorClass::runtime, "the history {}: {}{}", path_, text,
                error == 0 ? "" : fmt::format(" ({})", errno_text(error)));
  }
  return fail(ErrorClass::runtime, "the history {}: {}", path_, text);
}

Result<void> Store::run(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure();
  return {};
}

Result<Store::Statement> Store::statement(const char* sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql, -1, &raw, nullptr) != SQLITE_OK) return failure();
  return Statement(raw);
}

Result<void> Store::step(sqlite3_stmt* statement) {
  const int code = sqlite3_step(statement);
  if (code != SQLITE_DONE && code != SQLITE_ROW) {
    auto error = failure();
    sqlite3_reset(statement);
    return error;
  }
  sqlite3_reset(statement);
  return {};
}

Result<std::int64_t> Store::number(const char* sql) {
  const auto asked = statement(sql);
  if (!asked) return fail(asked.error());
  if (sqlite3_step(asked->get()) != SQLITE_ROW) return failure();
  return sqlite3_column_int64(asked->get(), 0);
}

Result<void> Store::check_form() {
  const auto id = number("PRAGMA application_id");
  if (!id) return fail(id.error());
  const auto version = number("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*id != application_id) {
    return fail(ErrorClass::invalid, "{} is a database of something else, not a history; give another file", path_);
  }
  if (*version != schema_version) {
    return fail(ErrorClass::invalid,
                "the history {} has the form {}, and this version of nslookout has {}; give another file, or move that "
                "one away",
                path_, *version, schema_version);
  }
  return {};
}

Result<void> Store::create() {
  if (const auto transaction = run("BEGIN IMMEDIATE"); !transaction) return transaction;
  const std::string sql = fmt::format(
      "CREATE TABLE lookups(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, name TEXT NOT NULL, type TEXT NOT NULL,"
      " executable TEXT NOT NULL, package TEXT NOT NULL, container TEXT NOT NULL, first INTEGER NOT NULL,"
      " last INTEGER NOT NULL, count INTEGER NOT NULL, action INTEGER NOT NULL, event BLOB NOT NULL);"
      "CREATE INDEX lookups_by_last ON lookups(last);"
      "CREATE TABLE facts(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
      "INSERT INTO facts VALUES('evicted', 0);"
      "PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
      application_id, schema_version);
  return run(sql.c_str());
}

Result<void> Store::prepare_to_write(const Limits& limits) {
  sqlite3_busy_timeout(database_.get(), busy_milliseconds);
  // The mode of the journal first: it is the first to touch the file.
  if (const auto mode = run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=16777216");
      !mode) {
    return mode;
  }
  const auto tables = number("SELECT count(*) FROM sqlite_master");
  if (!tables) return fail(tables.error());
  if (const auto form = *tables == 0 ? create() : check_form(); !form) return form;
  max_pages_ = std::max<std::uint64_t>(limits.max_octets / page_octets, 2 * pages_in_reserve);
  if (const auto limited = run(fmt::format("PRAGMA max_page_count={}", max_pages_).c_str()); !limited) return limited;
  max_rows_ = std::max<std::uint64_t>(limits.max_rows, 1);

  struct Prepared {
    Statement* statement;
    const char* sql;
  };
  const Prepared prepared[] = {
      {&update_,
       "UPDATE lookups SET first=min(first,?2), last=max(last,?2), count=count+?3, action=max(action,?4) WHERE key=?1"
       " RETURNING id"},
      {&insert_,
       "INSERT INTO lookups(key, first, last, count, action, name, type, executable, package, container, event)"
       " VALUES(?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"},
      {&repeat_, "UPDATE lookups SET last=max(last,?2), count=count+?3 WHERE id=?1"},
      {&evict_, "DELETE FROM lookups WHERE id IN (SELECT id FROM lookups ORDER BY last LIMIT ?1)"},
      {&page_count_, "PRAGMA page_count"},
      {&free_pages_, "PRAGMA freelist_count"}};
  for (const Prepared& each : prepared) {
    auto made = statement(each.sql);
    if (!made) return fail(made.error());
    *each.statement = std::move(*made);
  }
  const auto rows = number("SELECT count(*) FROM lookups");
  if (!rows) return fail(rows.error());
  rows_ = static_cast<std::uint64_t>(*rows);
  return {};
}

Result<Store> Store::open(const std::string& path, const Limits& limits, Trouble* trouble) {
  // So that the file has this mode from its first moment; SQLite gives those beside it the same.
  const Fd created(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600));
  if (!created.valid()) {
    return fail(ErrorClass::runtime, "the history {} cannot be opened: {}", path, errno_text(errno));
  }
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Store store(path, Database(raw));
  Result<void> ready;
  if (raw == nullptr) return fail(ErrorClass::runtime, "the history {}: out of memory", path);
  if (opened != SQLITE_OK) {
    ready = store.failure();
  } else {
    ready = store.prepare_to_write(limits);
  }
  if (ready) return store;
  if (trouble != nullptr) *trouble = store.trouble_;
  return fail(ready.error());
}

Result<Store> Store::open_to_read(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) {
    return fail(ErrorClass::runtime, "the history {} cannot be read: {}; `run --history FILE` writes one", path,
                errno_text(errno));
  }
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  Store store(path, Database(raw));
  if (raw == nullptr) return fail(ErrorClass::runtime, "the history {}: out of memory", path);
  if (opened != SQLITE_OK) return store.failure();
  sqlite3_busy_timeout(raw, busy_milliseconds);
  if (const auto form = store.check_form(); !form) return fail(form.error());
  return store;
}

Result<void> Store::begin() {
  rows_before_ = rows_;
  return run("BEGIN IMMEDIATE");
}

Result<void> Store::commit() { return run("COMMIT"); }

void Store::roll_back() {
  // Some errors have done it already.
  if (sqlite3_get_autocommit(database_.get()) == 0) (void)run("ROLLBACK");
  rows_ = rows_before_;
}

Result<Store::Row> Store::add(const event::Event& event, std::uint64_t count) {
  const std::string key = octets_of(inventory::key_of(event));
  const auto bind_both = [&](sqlite3_stmt* statement) {
    bind_blob(statement, 1, key);
    bind_number(statement, 2, nanoseconds(event.time));
    bind_number(statement, 3, static_cast<std::int64_t>(count));
    bind_number(statement, 4, static_cast<std::int64_t>(action_of(event)));
  };
  bind_both(update_.get());
  const int updated = sqlite3_step(update_.get());
  if (updated == SQLITE_ROW) {
    const Row row = sqlite3_column_int64(update_.get(), 0);
    sqlite3_reset(update_.get());
    return row;
  }
  if (updated != SQLITE_DONE) {
    auto error = failure();
    sqlite3_reset(update_.get());
    return error;
  }
  sqlite3_reset(update_.get());

  const auto message = event::to_protobuf(event);
  if (!message) return fail(message.error());
  sqlite3_stmt* insert = insert_.get();
  bind_both(insert);
  bind_text(insert, 5, event.dns->query);
  bind_text(insert, 6, event.dns->record_type);
  bind_text(insert, 7, event.process ? std::string_view(event.process->executable) : "");
  bind_text(insert, 8, inventory::package_of(event));
  bind_text(insert, 9, inventory::container_of(event));
  bind_blob(insert, 10, *message);
  if (const auto inserted = step(insert); !inserted) return fail(inserted.error());
  const Row row = sqlite3_last_insert_rowid(database_.get());
  ++rows_;
  unchecked_octets_ += message->size();
  if (const auto kept = keep_to_limits(); !kept) return fail(kept.error());
  return row;
}

Result<void> Store::add_repeats(Row row, std::uint64_t count, WallTime last) {
  bind_number(repeat_.get(), 1, row);
  bind_number(repeat_.get(), 2, nanoseconds(last));
  bind_number(repeat_.get(), 3, static_cast<std::int64_t>(count));
  return step(repeat_.get());
}

Result<void> Store::evict(std::uint64_t rows) {
  bind_number(evict_.get(), 1, static_cast<std::int64_t>(rows));
  if (auto evicted = step(evict_.get()); !evicted) return evicted;
  const auto gone = static_cast<std::uint64_t>(sqlite3_changes64(database_.get()));
  rows_ -= std::min(gone, rows_);
  return run(fmt::format("UPDATE facts SET value=value+{} WHERE name='evicted'", gone).c_str());
}

Result<std::uint64_t> Store::pages_used() {
  std::uint64_t pages[2] = {};
  sqlite3_stmt* const statements[2] = {page_count_.get(), free_pages_.get()};
  for (int i = 0; i < 2; ++i) {
    if (sqlite3_step(statements[i]) != SQLITE_ROW) return failure();
    pages[i] = static_cast<std::uint64_t>(sqlite3_column_int64(statements[i], 0));
    sqlite3_reset(statements[i]);
  }
  return pages[0] - std::min(pages[0], pages[1]);
}

Result<void> Store::keep_to_limits() {
  if (rows_ > max_rows_) {
    if (auto evicted = evict(rows_ - max_rows_); !evicted) return evicted;
  }
  if (++unchecked_ < rows_between_checks && unchecked_octets_ < octets_between_checks) return {};
  unchecked_ = 0;
  unchecked_octets_ = 0;
  const auto used = pages_used();
  if (!used) return fail(used.error());
  return *used + pages_in_reserve < max_pages_ ? Result<void>{} : evict(rows_ / 10 + 1);
}

Result<void> Store::each(WallTime since, const Visit& visit) {
  const auto rows =
      statement("SELECT first, last, count, action, event FROM lookups WHERE last >= ?1 ORDER BY last, id");
  if (!rows) return fail(rows.error());
  sqlite3_stmt* row = rows->get();
  bind_number(row, 1, nanoseconds(since));
  int code = 0;
  while ((code = sqlite3_step(row)) == SQLITE_ROW) {
    auto event = event::from_protobuf(blob(row, 4));
    if (!event) return fail(event.error().context(fmt::format("the history {}", path_)));
    inventory::Lookup lookup{.event = std::move(*event),
                             .first = wall_time(sqlite3_column_int64(row, 0)),
                             .last = wall_time(sqlite3_column_int64(row, 1)),
                             .count = static_cast<std::uint64_t>(sqlite3_column_int64(row, 2)),
                             .rules = {},
                             .action = static_cast<event::Action>(sqlite3_column_int(row, 3))};
    lookup.rules = lookup.event.rules;
    if (auto visited = visit(lookup); !visited) return visited;
  }
  if (code != SQLITE_DONE) return failure();
  return {};
}

Result<Store::Facts> Store::facts() {
  const auto rows = number("SELECT count(*) FROM lookups");
  if (!rows) return fail(rows.error());
  const auto evicted = number("SELECT value FROM facts WHERE name='evicted'");
  if (!evicted) return fail(evicted.error());
  return Facts{static_cast<std::uint64_t>(*rows), static_cast<std::uint64_t>(*evicted)};
}

}  // namespace nslookout::history
