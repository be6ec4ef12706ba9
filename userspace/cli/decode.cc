#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "event/codec.h"
#include "sink/frame.h"

namespace nslookout::cli {
namespace {

// One write for each event: whoever follows a live stream sees it at once.
Result<void> print_event(const event::Event& event) { return print(event::to_json_line(event) + "\n"); }

int decode(const std::string& path) {
  const Fd file(path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return report({ErrorClass::runtime, fmt::format("{} cannot be opened: {}", path, errno_text(errno))});
  }
  const auto decoded = with_progress(path, [&] { return sink::decode_stream(file.get(), print_event); });
  return decoded ? exit_ok : report(decoded.error().context(path));
}

}  // namespace

void add_decode(CLI::App& app, Command& chosen) {
  auto* command =
      app.add_subcommand("decode", "Turn a protobuf stream of events (--output protobuf:FILE) into JSON lines");
  const auto path = std::make_shared<std::string>();
  command->add_option("FILE", *path, "The stream; - is stdin")->required()->check(check_not_empty)->type_name("");
  command->footer(
      "Exit code 3 when the file is damaged; the events before the damage are printed.\n\nExample:\n  "
      "nslookout decode events.pb | jq .dns.query");
  command->callback([&chosen, path] { chosen = [path] { return decode(*path); }; });
}

}  // namespace nslookout::cli
