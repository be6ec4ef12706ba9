#include "cli/replay_report.h"

#include <fmt/ranges.h>

#include "capture/capture_file.h"

namespace nslookout::cli {
namespace {

std::string unread_link_types(const agent::ReplayOutcome& outcome) {
  std::vector<std::string> names;
  names.reserve(outcome.unread_link_types.size());
  for (const int link_type : outcome.unread_link_types) names.push_back(capture::link_type_name(link_type));
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::vector<std::string> replay_summary(const std::string& file, const agent::ReplayOutcome& outcome) {
  const capture::Counts& counts = outcome.counts;
  std::vector<std::string> lines = {fmt::format("{}: packets {}, queries {}, of them matching {}; events written {}",
                                                file, counts.packets, counts.queries, outcome.matches, outcome.events)};
  for (std::size_t i = 0; i < counts.skipped.size(); ++i) {
    if (counts.skipped[i] == 0) continue;
    const bool link_type = i == static_cast<std::size_t>(capture::Skip::link_type);
    lines.push_back(fmt::format("not looked at: {}{}: {}", capture::skip_texts[i],
                                link_type ? ", " + unread_link_types(outcome) : "", counts.skipped[i]));
  }
  return lines;
}

Result<void> replay_verdict(const std::string& file, const agent::ReplayOutcome& outcome) {
  if (outcome.damage) {
    return fail(outcome.damage->kind,
                "{}: the capture is damaged or cut off behind packet {}: {}; what comes before was read", file,
                outcome.counts.packets, outcome.damage->message);
  }
  if (outcome.counts.packets > 0 && outcome.counts.of(capture::Skip::link_type) == outcome.counts.packets) {
    return fail(ErrorClass::invalid,
                "{}: the link type {} is not read; Ethernet, Linux cooked, loopback and raw IP are", file,
                unread_link_types(outcome));
  }
  if (outcome.lost > 0) {
    return fail(ErrorClass::runtime, "{}: {} events could not be written", file, outcome.lost);
  }
  return {};
}

}  // namespace nslookout::cli
