#include <fmt/format.h>

#include "base/text.h"
#include "report/summary.h"
#include "report/visible.h"
#include "report/words.h"

namespace nslookout::report {
namespace {

constexpr std::size_t cell_characters = 300;
constexpr std::size_t room_for_the_note = 512;

bool is_plain(char c) {
  return c == ' ' || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Every character that could be markup, a link or a mention as an entity, which is never more than itself.
std::string literal(const std::string& text) {
  std::string escaped;
  for (const char c : visible(text, cell_characters)) {
    escaped += is_plain(c) ? std::string(1, c) : fmt::format("&#{};", static_cast<int>(c));
  }
  return escaped;
}

std::string code(const std::string& text) { return "<code>" + literal(text) + "</code>"; }

std::string or_dash(const std::string& cell) { return cell.empty() ? "–" : cell; }

std::string matched_row(const Asked& asked) {
  return fmt::format("| **{}** | {} | {} | {} | {} | {} | {} | {} | {} |\n", asked.outcome(), literal(asked.level()),
                     code(asked.name), literal(types_text(asked)), asked.lookups, literal(programs_text(asked)),
                     or_dash(literal(asked.step)), or_dash(literal(asked.package)), literal(rules_text(asked)));
}

std::string name_row(const Asked& asked) {
  const std::string outcome = asked.outcome();
  return fmt::format("| {} | {} | {} | {} | {} | {} |\n", or_dash(literal(asked.package)), code(asked.name),
                     literal(types_text(asked)), asked.lookups, literal(programs_text(asked)),
                     outcome.empty() ? "" : fmt::format("**{}**", outcome));
}

// Takes parts as long as they fit; what follows one that did not is left out too.
class Page {
 public:
  explicit Page(std::size_t max_octets) : room_(max_octets - room_for_the_note) {}

  bool add(const std::string& part) {
    full_ = full_ || text_.size() + part.size() > room_;
    if (!full_) text_ += part;
    return !full_;
  }
  void add_note(const std::string& note) { text_ += note; }
  std::string take() { return std::move(text_); }

 private:
  std::size_t room_;
  std::string text_;
  bool full_ = false;
};

void add_losses(const Job& job, Page& page) {
  const auto losses = job.losses();
  if (losses.empty()) page.add("Nothing was lost.\n\n");
  for (const std::string& loss : losses) page.add("> **Lost:** " + literal(loss) + "\n\n");
}

// Returns how many rows did not fit.
std::size_t add_matched(const std::vector<const Asked*>& matched, Page& page) {
  if (matched.empty()) return 0;
  page.add(
      "### Blocked and matched\n\n| | level | name | types | lookups | asked by | step | package | rules |\n"
      "|---|---|---|---|--:|---|---|---|---|\n");
  std::size_t left_out = 0;
  for (const Asked* asked : matched) left_out += page.add(matched_row(*asked)) ? 0 : 1;
  page.add("\n");
  return left_out;
}

std::size_t add_names(const std::vector<const Asked*>& names, Page& page) {
  if (names.empty()) return 0;
  page.add("### Names by CI step and package\n\n");
  const Asked* before = nullptr;
  std::size_t left_out = 0;
  for (const Asked* asked : names) {
    std::string row = name_row(*asked);
    if (before == nullptr || before->step != asked->step) {
      const std::string step = asked->step.empty() ? "Outside any CI step" : "Step " + literal(asked->step);
      row = fmt::format("{}**{}**\n\n| package | name | types | lookups | asked by | |\n|---|---|---|--:|---|---|\n{}",
                        before == nullptr ? "" : "\n", step, row);
    }
    left_out += page.add(row) ? 0 : 1;
    before = asked;
  }
  page.add("\n");
  return left_out;
}

}  // namespace

std::string summary_markdown(const Job& job, std::size_t max_octets) {
  Page page(max_octets);
  page.add(fmt::format("## nslookout: {}\n\n", headline(job.totals())));
  add_losses(job, page);
  const std::size_t matched = add_matched(job.matched(), page);
  const std::size_t names = add_names(job.names(), page);
  if (matched + names > 0) {
    page.add_note(
        fmt::format("\n\n**Left out for want of room:** {} of matched names and {} of all names. `nslookout ci summary "
                    "--format text` prints them all; the events have them.\n",
                    counted(matched, "row"), counted(names, "row")));
  }
  return page.take();
}

}  // namespace nslookout::report
