// `nslookout ci start`: an agent of its own session that watches until `ci stop`.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>

#include "agent/needs.h"
#include "base/log.h"
#include "cli/argv.h"
#include "cli/as_root.h"
#include "cli/ci.h"
#include "cli/ci_work.h"
#include "cli/report.h"
#include "cli/run.h"

namespace nslookout::cli {
namespace {

constexpr int look_again_ms = 20;  // for the ready file, while the agent lives

struct StartArguments {
  std::string work_dir;
  unsigned ready_within = 60;       // seconds
  std::shared_ptr<const void> run;  // what the options of `run` were read into
};

// In the child: gives up everything that ties it to the job's step, and becomes the agent.
[[noreturn]] void become_agent(const std::vector<std::string>& words, int log) {
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDONLY);
  const bool placed = nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(log, STDOUT_FILENO) >= 0 &&
                      ::dup2(log, STDERR_FILENO) >= 0;
  const std::vector<char*> argv = argv_of(words);
  // Descriptors of the runner must not stay open in a process that outlives the step: the runner would wait for it.
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  if (placed) ::execv(argv[0], argv.data());
  ::_exit(127);
}

Result<pid_t> start_agent(const WorkFolder& folder, const std::vector<std::string>& options) {
  const auto executable = own_executable();
  if (!executable) return fail(executable.error());
  std::vector<std::string> words = {*executable, "run", "--observe=all", "--output=protobuf:" + folder.events(),
                                    "--ready-file=" + folder.ready()};
  words.insert(words.end(), options.begin(), options.end());
  const Fd log(::open(folder.log().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!log.valid()) return fail(ErrorClass::runtime, "{} cannot be opened: {}", folder.log(), errno_text(errno));
  const pid_t pid = ::fork();
  if (pid < 0) return fail(ErrorClass::runtime, "no process can be started: {}", errno_text(errno));
  if (pid == 0) become_agent(words, log.get());
  return pid;
}

void end_agent(pid_t pid) {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<void> wait_until_ready(const WorkFolder& folder, pid_t pid, std::chrono::seconds bound) {
  const auto end = std::chrono::steady_clock::now() + bound;
  while (::access(folder.ready().c_str(), F_OK) != 0) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) {
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : exit_code(ErrorClass::runtime);
      const auto kind = code >= 1 && code <= 4 ? static_cast<ErrorClass>(code) : ErrorClass::runtime;
      return fail(kind, "the agent did not start: {} (all it said is in {})", last_words(folder), folder.log());
    }
    if (std::chrono::steady_clock::now() > end) {
      end_agent(pid);
      return fail(ErrorClass::runtime,
                  "the agent was not ready within {} s and was ended; it said last: {} (all of it is in {})",
                  bound.count(), last_words(folder), folder.log());
    }
    ::poll(nullptr, 0, look_again_ms);
  }
  return {};
}

Result<void> refuse_a_second(const WorkFolder& folder) {
  const auto state = read_state(folder);
  if (!state || !open_process(*state)) return {};
  return fail(ErrorClass::runtime, "an agent runs already with {} (pid {}): end it with `nslookout ci stop`",
              folder.path, state->pid);
}

Result<void> start_as_root(const WorkFolder& folder, const StartArguments& arguments,
                           const std::vector<std::string>& options) {
  const auto pid = start_agent(folder, options);
  if (!pid) return fail(pid.error());
  const auto start_ticks = start_ticks_of(*pid);
  if (!start_ticks) return fail(ErrorClass::runtime, "/proc does not show the agent (pid {})", *pid);
  if (auto written = write_state(folder, {*pid, *start_ticks, ""}); !written) {
    end_agent(*pid);
    return written;
  }
  if (auto ready = wait_until_ready(folder, *pid, std::chrono::seconds(arguments.ready_within)); !ready) {
    ::unlink(folder.state().c_str());
    return ready;
  }
  // The job's log is read; the agent's is when something is wrong already.
  for (const std::string& warning : warnings_said(folder)) log::warning("{}", warning);
  return print(fmt::format("nslookout watches (pid {}); its events: {}\n", *pid, folder.events()));
}

std::vector<std::string> this_command_again(const WorkFolder& folder, const StartArguments& arguments,
                                            const std::vector<std::string>& options) {
  std::vector<std::string> words = {"ci", "start", "--work-dir=" + folder.path,
                                    fmt::format("--timeout={}", arguments.ready_within)};
  words.insert(words.end(), options.begin(), options.end());
  return words;
}

int start(const CLI::App& command, const StartArguments& arguments) {
  const auto folder = WorkFolder::find(arguments.work_dir);
  if (!folder) return report(folder.error());
  if (const auto alone = refuse_a_second(*folder); !alone) return report(alone.error());
  if (const auto prepared = folder->prepare(); !prepared) return report(prepared.error());
  const auto options = options_given(command, {"work-dir", "timeout", "help"});
  if (is_root()) {
    if (const auto started = start_as_root(*folder, arguments, options); !started) return report(started.error());
  } else {
    const auto code = run_as_root(this_command_again(*folder, arguments, options), agent::service_variables());
    if (!code) return report(code.error());
    if (*code != exit_ok) return *code;
  }
  const auto told = output_to_github("events", folder->events());
  return told ? exit_ok : report(told.error());
}

}  // namespace

void add_ci_start(CLI::App& ci, Command& chosen) {
  auto* command = ci.add_subcommand("start", "Start the sensor and wait until it watches; options are those of run");
  const auto arguments = std::make_shared<StartArguments>();
  arguments->run = add_options_of_run(*command);
  for (const char* settled : {"--observe", "--ready-file"}) command->remove_option(command->get_option(settled));
  add_work_dir_option(*command, arguments->work_dir);
  command->add_option("--timeout", arguments->ready_within, "Give up when the sensor is not ready by then")
      ->check(CLI::Range(1, 3600))
      ->type_name("SECONDS")
      ->capture_default_str();
  command->callback(
      [&chosen, command, arguments] { chosen = [command, arguments] { return start(*command, *arguments); }; });
}

}  // namespace nslookout::cli
