// `nslookout ci summary`: what the job looked up, and whether that fails it.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

#include "base/level.h"
#include "base/log.h"
#include "cli/checks.h"
#include "cli/ci.h"
#include "cli/ci_work.h"
#include "cli/report.h"
#include "cli/report_html.h"
#include "report/summary.h"
#include "sink/frame.h"

namespace nslookout::cli {
namespace {

constexpr std::size_t least_room = 4096;

struct SummaryArguments {
  std::string work_dir;
  std::string format = "text";
  std::string fail_on = "none";
  std::string annotations = "none";
  std::string sarif;  // empty: none
  std::string html;   // empty: none
};

struct Record {
  report::Job job;
  report::Tree tree{true};

  void add_gap(const std::string& sentence) {
    job.add_gap(sentence);
    tree.add_gap(sentence);
  }
};

// What is wrong with the record as a whole goes into its gaps, so that no reader takes it for a whole one.
Result<Record> read_record(const WorkFolder& folder) {
  const Fd events(::open(folder.events().c_str(), O_RDONLY | O_CLOEXEC));
  if (!events.valid()) {
    return fail(ErrorClass::runtime, "{} cannot be opened: {}", folder.events(), errno_text(errno));
  }
  const auto state = read_state(folder);
  if (!state) return fail(state.error());
  Record record;
  const auto decoded = sink::decode_stream(events.get(), [&record](const event::Event& event) -> Result<void> {
    record.job.add(event);
    record.tree.add(event, WallTime::min());
    return {};
  });
  if (!decoded) record.add_gap(fmt::format("The events break off: {}.", decoded.error().message));
  if (state->end == "gone" || (state->end.empty() && !open_process(*state))) {
    record.add_gap(
        fmt::format("The sensor ended before it was stopped ({}); later lookups were not seen.", last_words(folder)));
  } else if (state->end.empty()) {
    record.add_gap("The sensor is still running: what it has not written yet, and later lookups, are not here.");
  }
  return record;
}

// GitHub refuses a summary over its bound as a whole, so what steps before this one wrote counts.
Result<void> write_step_summary(const report::Job& job) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment
  const char* path = std::getenv("GITHUB_STEP_SUMMARY");
  if (path == nullptr || *path == '\0') return {};
  struct stat file = {};
  const std::size_t taken = ::stat(path, &file) == 0 ? static_cast<std::size_t>(file.st_size) : 0;
  if (taken + least_room > report::github_summary_octets) {
    log::warning("$GITHUB_STEP_SUMMARY is full: the summary is not on the page of the job");
    return {};
  }
  return append_to(path, report::summary_markdown(job, report::github_summary_octets - taken));
}

Result<void> write_outputs(const report::Job& job, const WorkFolder& folder) {
  const auto totals = job.totals();
  for (const auto& [name, value] : {std::pair<std::string, std::string>{"events", folder.events()},
                                    {"names", std::to_string(totals.names)},
                                    {"matched", std::to_string(totals.matched)},
                                    {"blocked", std::to_string(totals.blocked)}}) {
    if (auto told = output_to_github(name, value); !told) return told;
  }
  return {};
}

Result<void> write_sarif(const report::Job& job, const std::string& path) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file.valid()) return fail(ErrorClass::runtime, "{} cannot be written: {}", path, errno_text(errno));
  return append_to(path, report::summary_sarif(job, version_number()));
}

std::string rendered(const report::Job& job, const std::string& format) {
  if (format == "json") return report::summary_json(job);
  if (format == "markdown") return report::summary_markdown(job, report::github_summary_octets);
  return report::summary_text(job);
}

// What the runner says of the job, for the head of the page.
std::string job_title() {
  std::string title;
  for (const char* variable : {"GITHUB_REPOSITORY", "GITHUB_JOB", "CI_PROJECT_PATH", "CI_JOB_NAME"}) {
    const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nothing changes the environment
    if (value == nullptr || *value == '\0') continue;
    title += (title.empty() ? "" : " / ") + std::string(value);
  }
  return title;
}

Result<void> write_everything(const Record& record, const WorkFolder& folder, const SummaryArguments& arguments) {
  const report::Job& job = record.job;
  std::string text = rendered(job, arguments.format);
  if (arguments.annotations == "github") text = report::github_annotations(job) + text;
  if (auto printed = print(text); !printed) return printed;
  if (auto written = write_step_summary(job); !written) return written;
  if (auto written = write_outputs(job, folder); !written) return written;
  if (!arguments.html.empty()) {
    auto written = write_page(record.tree, {arguments.html, job_title(), {folder.events()}, ""});
    if (!written) return written;
  }
  return arguments.sarif.empty() ? Result<void>{} : write_sarif(job, arguments.sarif);
}

int summary(const SummaryArguments& arguments) {
  if (arguments.annotations != "none" && arguments.format != "text") {
    return report({ErrorClass::usage, "--annotations goes with --format text: they share standard output"});
  }
  const auto folder = WorkFolder::find(arguments.work_dir);
  if (!folder) return report(folder.error());
  const auto record = read_record(*folder);
  if (!record) return report(record.error());
  if (const auto written = write_everything(*record, *folder, arguments); !written) return report(written.error());
  const auto totals = record->job.totals();
  const bool fails = arguments.fail_on != "none" && totals.rank >= level_rank(arguments.fail_on);
  if (!fails) return exit_ok;
  return report({ErrorClass::runtime,
                 fmt::format("a name matched at the level {}, and --fail-on is {}", totals.level, arguments.fail_on)});
}

}  // namespace

void add_ci_summary(CLI::App& ci, Command& chosen) {
  auto* command = ci.add_subcommand("summary", "Sum up what the job looked up, by step and package");
  const auto arguments = std::make_shared<SummaryArguments>();
  add_work_dir_option(*command, arguments->work_dir);
  const auto choice = [&](const char* name, std::string& value, const std::vector<std::string>& values,
                          const char* type, const char* text) {
    command->add_option(name, value, text)->check(CLI::IsMember(values))->type_name(type)->capture_default_str();
  };
  choice("--format", arguments->format, {"text", "markdown", "json"}, "FORMAT", "text, markdown or json");
  choice("--fail-on", arguments->fail_on, {"informational", "low", "medium", "high", "critical", "none"}, "LEVEL",
         "Exit with 1 when a name matched at this level or above");
  choice("--annotations", arguments->annotations, {"none", "github"}, "KIND",
         "github: matches as workflow commands too");
  command->add_option("--sarif", arguments->sarif, "File for the matches as SARIF 2.1.0")
      ->check(check_not_empty)
      ->type_name("FILE");
  command->add_option("--html", arguments->html, "File for a page to look at, as `report` makes it")
      ->check(check_not_empty)
      ->type_name("FILE");
  command->callback([&chosen, arguments] { chosen = [arguments] { return summary(*arguments); }; });
}

}  // namespace nslookout::cli
