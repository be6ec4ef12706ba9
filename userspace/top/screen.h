// The table as lines of a terminal, and keys that change what is shown.
//
// Invariants: render() gives exactly `height` lines, none of which takes more than `width` columns (East Asian Width as
// libunistring has it). The only control characters in them are this file's own SGR sequences (ECMA-48 section 8.3.117):
// what comes from outside is escaped (report/visible.h), so that no name can move the cursor, colour or title anything.
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "top/table.h"

namespace nslookout::top {

struct Look {
  std::size_t width = 80, height = 24;
  bool colour = true;  // NO_COLOR: bold and reverse alone
  bool utf8 = true;    // else what is not ASCII is shown as "?"
};

struct State {
  Table::Shown shown;
  std::size_t first = 0;  // the row at the top
  bool typing = false;    // of a filter
  bool keys = false;      // the list of keys is shown
  bool paused = false;
  bool quit = false;
  std::string source;   // "live", or a file
  std::string message;  // what there is to say besides; empty: nothing
};

// The octets of one read of a terminal, in which a key may be several (ESC [ A).
void press(State& state, std::string_view octets, std::size_t page);

[[nodiscard]] std::vector<std::string> render(const Table& table, State& state, const Look& look, std::int64_t now);

// text in exactly `columns` columns: cut, with "…" (or "~") at its end, or filled with blanks.
[[nodiscard]] std::string fitted(std::string_view text, std::size_t columns, bool utf8);

}  // namespace nslookout::top
