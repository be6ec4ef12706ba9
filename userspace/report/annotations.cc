#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "report/summary.h"
#include "report/visible.h"
#include "report/words.h"

namespace nslookout::report {
namespace {

const char* command_of(const Asked& asked) {
  if (asked.action == event::Action::blocked || asked.rank() >= 4) return "error";
  return asked.rank() == 3 ? "warning" : "notice";
}

// The text of a command; the value of a property loses ':' and ',' as well.
std::string escaped(const std::string& text, std::string_view special) {
  std::string result;
  for (const char c : text) {
    result +=
        special.find(c) == std::string_view::npos ? std::string(1, c) : fmt::format("%{:02X}", static_cast<int>(c));
  }
  return result;
}

std::string annotation(const Asked& asked) {
  std::string text = fmt::format("{} was asked for by {}", visible(asked.name), visible(programs_text(asked)));
  if (!asked.package.empty()) text += ", package " + visible(asked.package);
  if (!asked.step.empty()) text += ", step " + visible(asked.step);
  text += fmt::format(" ({}, {})", asked.outcome(), asked.level());
  return fmt::format("::{} title={}::{}\n", command_of(asked),
                     escaped("nslookout: " + visible(rules_text(asked), 120), "%\r\n:,"), escaped(text, "%\r\n"));
}

}  // namespace

std::string github_annotations(const Job& job) {
  const auto matched = job.matched();
  const bool all = matched.size() <= github_annotations_of_a_step;
  const std::size_t shown = all ? matched.size() : github_annotations_of_a_step - 1;
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) text += annotation(*matched[i]);
  if (!all) {
    text += fmt::format("::{} title=nslookout::{} more matched; the summary of the job has them all\n",
                        command_of(*matched[shown]), counted(matched.size() - shown, "name"));
  }
  return text;
}

}  // namespace nslookout::report
