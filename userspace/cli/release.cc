// `nslookout release`: ends the blocking that an agent with --fail closed left in place.
#include "base/text.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "kernel/pins.h"

namespace nslookout::cli {
namespace {

int release() {
  const auto released = kernel::remove_pins();
  if (!released) return report(released.error());
  if (released->links == 0) return finish_with("nothing is pinned: no blocking outlives an agent here\n");
  std::string text =
      fmt::format("released {} that blocked lookups without an agent\n", counted(released->links, "program"));
  if (released->held > 0) {
    text += fmt::format("an agent that runs holds {} of them: they block until it ends\n", released->held);
  }
  return finish_with(text);
}

}  // namespace

void add_release(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand("release", "End the blocking that an agent with --fail closed left in place");
  command->footer(
      "Removes what is pinned in /sys/fs/bpf/nslookout; exit code 0 also where nothing is.\n\nExample:\n  sudo "
      "nslookout "
      "release");
  command->callback([&chosen] { chosen = [] { return release(); }; });
}

}  // namespace nslookout::cli
