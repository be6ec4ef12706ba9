#include "cli/report_html.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>

#include "base/log.h"
#include "base/text.h"
#include "cli/checks.h"
#include "cli/ci_work.h"
#include "cli/commands.h"
#include "cli/observed.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "report/page.h"

namespace nslookout::cli {
namespace {

struct ReportArguments {
  std::vector<std::string> files;  // of events, or histories; none: the history
  std::string history = history::default_path;
  std::string since;
  std::string html;
  std::string title;
};

Result<void> add_history(const std::string& path, WallTime since, report::Tree& tree) {
  auto store = history::Store::open_to_read(path);
  if (!store) return fail(store.error());
  const auto facts = store->facts();
  if (!facts) return fail(facts.error());
  if (facts->evicted > 0) {
    tree.add_gap(fmt::format("The history had to make room for new lookups: {}, not seen for the longest time, went.",
                             counted(facts->evicted, "older lookup")));
  }
  return store->each(since, [&](const inventory::Lookup& lookup) -> Result<void> {
    tree.add(lookup);
    return {};
  });
}

Result<void> add_events(const std::string& path, WallTime since, report::Tree& tree) {
  tree.begin_file();
  const auto visit_each = [&](const event::Event& event) -> Result<void> {
    tree.add(event, since);
    return {};
  };
  const auto outcome = with_progress(path, [&] { return inventory::read_events(path, visit_each); });
  if (!outcome) return fail(outcome.error());
  if (outcome->first_bad) {
    log::warning("{}", outcome->first_bad->message);
    tree.add_gap(fmt::format("{}: {} of it cannot be read as events.", path, counted(outcome->bad, "record")));
  }
  return {};
}

Result<report::Tree> read_tree(const std::vector<std::string>& files, WallTime since) {
  report::Tree tree;
  for (const std::string& path : files) {
    const auto added = history::is_database(path) ? add_history(path, since, tree) : add_events(path, since, tree);
    if (!added) return fail(added.error());
  }
  return tree;
}

int run_report(const ReportArguments& arguments) {
  const std::vector<std::string> files =
      arguments.files.empty() ? std::vector<std::string>{arguments.history} : arguments.files;
  const WallTime since =
      arguments.since.empty() ? WallTime::min() : std::chrono::system_clock::now() - duration_of(arguments.since);
  const auto tree = read_tree(files, since);
  if (!tree) return report(tree.error());
  const auto written = write_page(*tree, {arguments.html, arguments.title, files, arguments.since});
  return written ? exit_ok : report(written.error());
}

}  // namespace

Result<void> write_page(const report::Tree& tree, const PageRequest& request) {
  const std::string page = report::page_html(
      tree, {request.title, version_number(), std::chrono::system_clock::now(), request.sources, request.since});
  if (request.path == "-") return print(page);
  // A device or a pipe is written, never replaced.
  struct stat there = {};
  if (::stat(request.path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) return append_to(request.path, page);
  const std::string beside = fmt::format("{}.{}.tmp", request.path, ::getpid());
  const Fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.valid()) return fail(ErrorClass::runtime, "{} cannot be written: {}", request.path, errno_text(errno));
  auto written = append_to(beside, page);
  if (written && std::rename(beside.c_str(), request.path.c_str()) != 0) {
    written = fail(ErrorClass::runtime, "{} cannot be written: {}", request.path, errno_text(errno));
  }
  if (!written) ::unlink(beside.c_str());
  return written;
}

void add_report(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand(
      "report", "Make one page, to look at, of who looked up what: processes, names, times, matches and losses");
  const auto arguments = std::make_shared<ReportArguments>();
  auto* history = command->add_option("--history", arguments->history, "What `run --history` wrote")
                      ->check(check_not_empty)
                      ->type_name("FILE")
                      ->capture_default_str();
  command
      ->add_option("FILE,--events", arguments->files,
                   "Files of events (JSON lines or protobuf) or histories instead; - is stdin")
      ->check(check_not_empty)
      ->type_name("FILE")
      ->excludes(history);
  command->add_option("--since", arguments->since, "Only lookups seen in the last 90s, 30m, 24h, 7d, 2w")
      ->check(check_duration)
      ->type_name("TIME");
  command->add_option("--html", arguments->html, "Where the page goes; - is stdout")
      ->required()
      ->check(check_not_empty)
      ->type_name("FILE");
  command->add_option("--title", arguments->title, "What stands at the head of the page")->type_name("TEXT");
  command->footer(
      "The page is one file that loads nothing, and shows whatever names hold as text.\n\nExample:\n  nslookout report "
      "events.jsonl --html report.html");
  command->callback([&chosen, arguments] { chosen = [arguments] { return run_report(*arguments); }; });
}

}  // namespace nslookout::cli
