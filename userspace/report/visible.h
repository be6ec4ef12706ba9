// Hostile text (names, argv, titles, variables) on its way into a report that people and CI systems read.
//
// Invariants: the result is one line of printable UTF-8. Nothing in it moves the cursor, colours, reorders what stands
// beside it (bidirectional controls, Unicode UAX #9) or hides (zero-width characters), and nothing in it is a command to a
// CI system wherever it stands in a line: "##[" (GitHub) and "##vso[" (Azure) lose their second "#". "::" is a command
// only at the start of a line (GitHub), so what prints a line begins it with a word of its own.
// Source: actions/runner ActionCommand (both forms of commands). Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nslookout::report {

[[nodiscard]] std::string visible(std::string_view text);

// The same, and cut after at most `characters` with "…" at its end.
[[nodiscard]] std::string visible(std::string_view text, std::size_t characters);

}  // namespace nslookout::report
