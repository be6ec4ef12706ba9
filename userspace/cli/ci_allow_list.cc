// `nslookout ci allow-list`: the names of a run, as a list for --allow-only.
#include "base/log.h"
#include "base/text.h"
#include "cli/checks.h"
#include "cli/ci.h"
#include "cli/ci_work.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "inventory/read_events.h"
#include "report/allow_list.h"

namespace nslookout::cli {
namespace {

struct AllowListArguments {
  std::string work_dir;
  std::vector<std::string> events;  // none: of the work folder
  std::size_t collapse = 10;
};

Result<void> add_file(const std::string& path, report::AllowList& list) {
  const auto visit_each = [&](const event::Event& event) -> Result<void> {
    list.add(event);
    return {};
  };
  const auto outcome = with_progress(path, [&] { return inventory::read_events(path, visit_each); });
  if (!outcome) return fail(outcome.error());
  if (outcome->first_bad) {
    log::warning("{}; {} of the file cannot be read as events, and their names are missing",
                 outcome->first_bad->message, counted(outcome->bad, "record"));
  }
  return {};
}

int allow_list(const AllowListArguments& arguments) {
  std::vector<std::string> files = arguments.events;
  if (files.empty()) {
    const auto folder = WorkFolder::find(arguments.work_dir);
    if (!folder) return report(folder.error());
    files.push_back(folder->events());
  }
  report::AllowList list;
  for (const std::string& path : files) {
    if (const auto added = add_file(path, list); !added) return report(added.error());
  }
  return finish_with(list.text(arguments.collapse));
}

}  // namespace

void add_ci_allow_list(CLI::App& ci, Command& chosen) {
  auto* command = ci.add_subcommand("allow-list", "Propose a list for --allow-only from what a job looked up");
  const auto arguments = std::make_shared<AllowListArguments>();
  add_work_dir_option(*command, arguments->work_dir);
  command
      ->add_option("--events", arguments->events,
                   "Files of events (JSON lines or protobuf) instead of the work folder's; may be repeated")
      ->check(check_not_empty)
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--collapse", arguments->collapse,
                   "Where a registrable domain has at least this many names, allow all below it; 0: never")
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("COUNT")
      ->capture_default_str();
  command->footer(
      "Names that a rule or list matched are left out, and said in a comment.\n\nExample:\n  nslookout ci allow-list "
      "--work-dir nslookout > names.txt");
  command->callback([&chosen, arguments] { chosen = [arguments] { return allow_list(*arguments); }; });
}

}  // namespace nslookout::cli
