#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "report/summary.h"
#include "report/visible.h"
#include "report/words.h"

namespace nslookout::report {
namespace {

constexpr std::size_t cell_characters = 160;

std::string joined(const std::set<std::string>& words, std::size_t shown) {
  std::string text;
  std::size_t count = 0;
  for (const auto& word : words) {
    if (count == shown) return fmt::format("{} and {} more", text, words.size() - shown);
    text += (count++ == 0 ? "" : ", ") + word;
  }
  return text;
}

std::string matched_lines(const Asked& asked) {
  std::string text = fmt::format("  {:<11} {:<13} {}  ({}, {})\n", asked.outcome(), asked.level(), visible(asked.name),
                                 visible(types_text(asked), cell_characters), counted(asked.lookups, "lookup"));
  text += fmt::format("{:28}by {}", "", visible(programs_text(asked), cell_characters));
  if (!asked.package.empty()) text += fmt::format(", package {}", visible(asked.package, cell_characters));
  if (!asked.step.empty()) text += fmt::format(", step {}", visible(asked.step, cell_characters));
  return text + fmt::format("\n{:28}rule {}\n", "", visible(rules_text(asked), cell_characters));
}

std::string name_line(const Asked& asked) {
  const std::string outcome = asked.outcome();
  return fmt::format("{:>9}  {}  {} by {}{}\n", asked.lookups, visible(asked.name),
                     visible(types_text(asked), cell_characters), visible(programs_text(asked), cell_characters),
                     outcome.empty() ? "" : fmt::format("  <- {}, {}", outcome, asked.level()));
}

std::string step_line(const std::string& step) {
  return step.empty() ? "  outside any CI step\n" : fmt::format("  step {}\n", visible(step, cell_characters));
}

std::string package_line(const std::string& package) {
  return package.empty() ? "    of no package\n" : fmt::format("    package {}\n", visible(package, cell_characters));
}

std::string by_step(const std::vector<const Asked*>& names) {
  std::string text;
  const Asked* before = nullptr;
  for (const Asked* asked : names) {
    const bool new_step = before == nullptr || before->step != asked->step;
    if (new_step) text += step_line(asked->step);
    if (new_step || before->package != asked->package) text += package_line(asked->package);
    text += name_line(*asked);
    before = asked;
  }
  return text;
}

}  // namespace

std::string types_text(const Asked& asked) { return joined(asked.types, 6); }

std::string programs_text(const Asked& asked) {
  return asked.programs.empty() ? "an unknown program" : joined(asked.programs, 3);
}

std::string rules_text(const Asked& asked) {
  std::set<std::string> titles;
  for (const event::Rule& rule : asked.rules) titles.insert(rule.title.empty() ? rule.id : rule.title);
  return joined(titles, 4);
}

std::string headline(const Totals& totals) {
  std::string text = counted(totals.names, "name") + ", " + counted(totals.lookups, "lookup") + "; ";
  if (totals.matched == 0) return text + "no rule matched";
  text += fmt::format("{} matched ({})", totals.matched, totals.level);
  if (totals.blocked > 0) text += fmt::format(", {} blocked", totals.blocked);
  if (totals.would_block > 0) text += fmt::format(", {} would be blocked", totals.would_block);
  return text;
}

std::string summary_text(const Job& job) {
  std::string text = fmt::format("nslookout: {}\n", headline(job.totals()));
  const auto losses = job.losses();
  for (const std::string& loss : losses) text += fmt::format("lost: {}\n", visible(loss));
  if (losses.empty()) text += "Nothing was lost.\n";
  if (const auto matched = job.matched(); !matched.empty()) {
    text += "\nBlocked and matched\n";
    for (const Asked* asked : matched) text += matched_lines(*asked);
  }
  if (const auto names = job.names(); !names.empty()) {
    text += "\nNames by CI step and package\n" + by_step(names);
  }
  return text;
}

}  // namespace nslookout::report
