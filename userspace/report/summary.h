// The summary of a job, for a terminal or a log (text), a page of a CI system (Markdown), programs (JSON, SARIF 2.1.0) and
// the list of a run's annotations (GitHub's workflow commands). Blocked and matched names first, losses stated plainly.
//
// Whatever the names, arguments and titles hold, the text has one line a name and no line that a CI system would take for a
// command; the Markdown has no markup, link or mention but its own; an annotation is one command.
// Sources: docs.github.com "Workflow commands" (escaping), GitHub Flavored Markdown (entities have no structure, section
// 6.2), SARIF 2.1.0. Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "report/job.h"

namespace nslookout::report {

// What GitHub takes from one step: 1 MiB. What is in the file already counts too.
inline constexpr std::size_t github_summary_octets = 1U << 20;
// What it shows of one step: ten of each kind.
inline constexpr std::size_t github_annotations_of_a_step = 10;

// One line without its end: "14 names, 31 lookups; 1 matched (high), 1 blocked".
[[nodiscard]] std::string headline(const Totals& totals);

[[nodiscard]] std::string summary_text(const Job& job);
// At most max_octets (of at least 2048): what does not fit is left out from the end, and the page says how much.
[[nodiscard]] std::string summary_markdown(const Job& job, std::size_t max_octets);
[[nodiscard]] std::string summary_json(const Job& job);
// A result for each rule and name. Code scanning asks for a place in a file: it is that of the rule.
[[nodiscard]] std::string summary_sarif(const Job& job, const std::string& version);
// `::error …`, `::warning …` and `::notice …` lines for matched names; more than fit are counted in the last one.
[[nodiscard]] std::string github_annotations(const Job& job);

}  // namespace nslookout::report
