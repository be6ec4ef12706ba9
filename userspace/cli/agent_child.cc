#include "cli/agent_child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "cli/argv.h"
#include "cli/as_root.h"

namespace nslookout::cli {
namespace {

constexpr std::size_t most_said = 8192;  // octets of messages that are kept

[[noreturn]] void become_agent(const std::vector<std::string>& words, int events, int messages, pid_t parent) {
  sigset_t none;
  ::sigemptyset(&none);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): of a child that has this thread alone
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const std::vector<char*> argv = argv_of(words);
  const bool placed = nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(events, STDOUT_FILENO) >= 0 &&
                      ::dup2(messages, STDERR_FILENO) >= 0;
  if (placed) ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

Result<AgentChild> AgentChild::start(const std::vector<std::string>& options) {
  const auto executable = own_executable();
  if (!executable) return fail(executable.error());
  std::vector<std::string> words = {*executable, "run", "--observe=all", "--output=stdout"};
  words.insert(words.end(), options.begin(), options.end());
  std::array<int, 2> events = {};
  std::array<int, 2> messages = {};
  if (::pipe2(events.data(), O_CLOEXEC) != 0) return fail(ErrorClass::runtime, "no pipe: {}", errno_text(errno));
  Fd from_events(events[0]);
  const Fd to_events(events[1]);
  if (::pipe2(messages.data(), O_CLOEXEC) != 0) return fail(ErrorClass::runtime, "no pipe: {}", errno_text(errno));
  Fd from_messages(messages[0]);
  const Fd to_messages(messages[1]);
  ::fcntl(from_messages.get(), F_SETFL, O_NONBLOCK);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(ErrorClass::runtime, "no process can be started: {}", errno_text(errno));
  if (pid == 0) become_agent(words, to_events.get(), to_messages.get(), parent);
  return AgentChild(pid, std::move(from_events), std::move(from_messages));
}

AgentChild::AgentChild(AgentChild&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      events_(std::move(other.events_)),
      messages_(std::move(other.messages_)),
      said_(std::move(other.said_)) {}

AgentChild::~AgentChild() {
  if (pid_ == 0) return;
  // It may be writing what nobody reads any more: without the pipes it cannot be stuck in that.
  events_.reset();
  messages_.reset();
  ::kill(pid_, SIGTERM);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::string AgentChild::last_message() {
  std::array<char, 4096> octets = {};
  ssize_t got = 0;
  while ((got = ::read(messages_.get(), octets.data(), octets.size())) > 0) {
    said_.append(octets.data(), static_cast<std::size_t>(got));
    if (said_.size() > most_said) said_.erase(0, said_.size() - most_said);
  }
  if (got == 0) messages_.reset();
  const std::size_t end = said_.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  const std::size_t newline = said_.rfind('\n', end);
  const std::string line = said_.substr(newline == std::string::npos ? 0 : newline + 1, end - newline);
  constexpr std::string_view own_name = "nslookout: ";
  return line.starts_with(own_name) ? line.substr(own_name.size()) : line;
}

std::optional<int> AgentChild::exit_code() {
  int status = 0;
  if (pid_ == 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(ErrorClass::runtime);
}

}  // namespace nslookout::cli
