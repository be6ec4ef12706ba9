// `nslookout ci stop`: ends the agent of `ci start`, and waits until it has written everything.
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "cli/as_root.h"
#include "cli/ci.h"
#include "cli/ci_work.h"
#include "cli/report.h"

namespace nslookout::cli {
namespace {

struct StopArguments {
  std::string work_dir;
  unsigned drained_within = 30;  // seconds
};

// A pidfd is readable once its process has ended (pidfd_open(2)).
bool ended_within(const Fd& process, unsigned seconds) {
  pollfd waiting = {process.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(seconds * 1000));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

Result<void> drain(const WorkFolder& folder, const AgentState& state, const Fd& process, unsigned seconds) {
  if (::syscall(SYS_pidfd_send_signal, process.get(), SIGTERM, nullptr, 0) != 0 && errno != ESRCH) {
    return fail(ErrorClass::runtime, "the agent (pid {}) cannot be signalled: {}", state.pid, errno_text(errno));
  }
  if (!ended_within(process, seconds)) {
    return fail(ErrorClass::runtime, "the agent (pid {}) still writes after {} s; it goes on (its log: {})", state.pid,
                seconds, folder.log());
  }
  return {};
}

Result<void> stop_as_root(const WorkFolder& folder, unsigned seconds) {
  auto state = read_state(folder);
  if (!state) return fail(state.error());
  if (state->end == "drained") return print("nslookout has been stopped before\n");
  const auto process = open_process(*state);
  if (process) {
    if (auto drained = drain(folder, *state, *process, seconds); !drained) return drained;
  }
  // One that ends as it should takes its ready file with it; one that was killed, before or meanwhile, does not.
  const bool drained = process && ::access(folder.ready().c_str(), F_OK) != 0;
  state->end = drained ? "drained" : "gone";
  if (auto written = write_state(folder, *state); !written) return written;
  if (!drained) {
    return fail(
        ErrorClass::runtime,
        "the agent (pid {}) had ended before, or was killed: what came after that was not seen. It said last: {}",
        state->pid, last_words(folder));
  }
  return print(fmt::format("nslookout stopped; its events: {}\n", folder.events()));
}

int stop(const StopArguments& arguments) {
  const auto folder = WorkFolder::find(arguments.work_dir);
  if (!folder) return report(folder.error());
  if (is_root()) {
    const auto stopped = stop_as_root(*folder, arguments.drained_within);
    return stopped ? exit_ok : report(stopped.error());
  }
  const auto code =
      run_as_root({"ci", "stop", "--work-dir=" + folder->path, fmt::format("--timeout={}", arguments.drained_within)});
  return code ? *code : report(code.error());
}

}  // namespace

void add_ci_stop(CLI::App& ci, Command& chosen) {
  auto* command = ci.add_subcommand("stop", "End the sensor, and wait until it has written everything");
  const auto arguments = std::make_shared<StopArguments>();
  add_work_dir_option(*command, arguments->work_dir);
  command->add_option("--timeout", arguments->drained_within, "Give up when the sensor has not ended by then")
      ->check(CLI::Range(1, 3600))
      ->type_name("SECONDS")
      ->capture_default_str();
  command->callback([&chosen, arguments] { chosen = [arguments] { return stop(*arguments); }; });
}

}  // namespace nslookout::cli
