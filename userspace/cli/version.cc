#include "cli/commands.h"
#include "cli/report.h"
#include "kernel/host.h"

namespace nslookout::cli {
namespace {

std::string version_text() {
  constexpr std::string_view revision = NSLOOKOUT_GIT_REVISION;
  std::string text = fmt::format("nslookout {}\n", NSLOOKOUT_VERSION);
  if (!revision.empty()) text += fmt::format("revision {}\n", revision);
  text += fmt::format("libbpf {}\nprotobuf {}\ncompiler {}\n", kernel::libbpf_version(), NSLOOKOUT_PROTOBUF_VERSION,
                      NSLOOKOUT_COMPILER);
  return text;
}

}  // namespace

std::string version_number() { return NSLOOKOUT_VERSION; }
std::string revision() { return NSLOOKOUT_GIT_REVISION; }

void add_version(CLI::App& app, Command& chosen) {
  auto* command = app.add_subcommand("version", "Print the version of nslookout and of what it is built with");
  command->footer("Example:\n  nslookout version");
  command->callback([&chosen] { chosen = [] { return finish_with(version_text()); }; });
}

}  // namespace nslookout::cli
